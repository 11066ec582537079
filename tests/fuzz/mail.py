"""The readers of inbound mail, of mail servers' answers, and of webhooks."""

import json
import socket
from collections.abc import Mapping
from io import BytesIO
from typing import cast
from unittest.mock import patch

from hypothesis import strategies as st

from digest.deliver.transport.replies import outcome_of
from digest.deliver.transport.smtp_conversation import Conversation
from digest.inbound import mailboxes
from digest.inbound.answers import tokens_of_reply, unsubscribe_tokens
from digest.inbound.attribution import Attribution
from digest.inbound.clues import clues_in
from digest.inbound.diagnostics import diagnose, shipped_table
from digest.inbound.feedback_handler import FeedbackHandler
from digest.inbound.imap import _Conversation, messages_on_server
from digest.inbound.mime_parts import open_mail
from digest.inbound.report import Flag
from digest.inbound.report_reader import read_report
from digest.inbound.webhook_events import READERS as SERVICES
from digest.inbound.webhook_events import diagnosed_event, events_in
from digest.inbound.webhooks import Webhooks
from digest.model.diagnosis import Phase
from digest.settings.imap_folder import ImapFolder, Security
from tests import reports
from tests.fuzz.common import FOLDER, KEY, VERP, as_json, files, read_token
from tests.support import NOW

# ---- mail ----------------------------------------------------------------------------------------

MAILS = [
    *files("mail/*.eml"),
    reports.failure("bounces+1-x@example.org"),
    reports.complaint("complaints@example.org", sender="bounces+1-x@example.org"),
]


def read_mail(content: bytes) -> None:
    read_report(content)
    mail = open_mail(content)
    for address in (*(clues := clues_in(mail)).sent_to, *clues.senders):
        VERP.tag_in(address)
    for token in (*unsubscribe_tokens(mail), *tokens_of_reply(mail)):
        read_token(token)


def read_mbox(content: bytes) -> None:
    place = FOLDER / "mbox"
    place.write_bytes(content)
    for message in mailboxes.messages_in(place):
        message.flag = Flag.REVIEW
    mailboxes.count_for_review(place)


class _ScriptedServer:
    """The answers of an IMAP server, as a socket that imaplib reads; TAG is the command's own."""

    def __init__(self, script: bytes) -> None:
        self._answers = iter(script.split(b"\n\n"))
        self._waiting = BytesIO()
        self._tag = b"x"

    def makefile(self, _mode: str) -> "_ScriptedServer":
        return self

    def sendall(self, octets: bytes) -> None:
        if octets.endswith(b"\r\n") and b" " in octets:
            self._tag = octets.split(b" ")[0]

    def readline(self, most: int) -> bytes:
        return self._more().readline(most)

    def read(self, size: int) -> bytes:
        return self._more().read(size)

    def _more(self) -> BytesIO:
        while self._waiting.tell() == len(self._waiting.getbuffer()):
            answer = next(self._answers, None)
            if answer is None:
                return BytesIO()  # the end of the connection
            self._waiting = BytesIO(answer.replace(b"TAG", self._tag) + b"\r\n")
        return self._waiting

    def shutdown(self, _how: int) -> None:
        pass

    def close(self) -> None:
        pass


IMAP = [(
    b"* OK ready\n\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nTAG OK done\n\n+ \n\nTAG OK come in\n\n"
    b"* 2 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\nTAG OK [READ-WRITE] open\n\n"
    b"* SEARCH 7 8\r\nTAG OK done\n\n"
    b"* 1 FETCH (BODY[]<0> {11}\r\nSubject: x\n UID 7)\r\nTAG OK done\n\nTAG OK done\n\n"
    b'* 2 FETCH (UID 8 BODY[] "x")\r\nTAG NO [SERVERBUG] broken\n\n* BYE\r\nTAG OK done\n\n'
)]  # fmt: skip


def read_imap(script: bytes) -> None:
    folder = ImapFolder(Security.NONE, "127.0.0.1", 143, "ada", "secret", "INBOX")
    server = _ScriptedServer(script)
    with patch.object(_Conversation, "_create_socket", lambda *_: server):
        for message in messages_on_server(folder):
            message.flag = Flag.SEEN


def read_replies(octets: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        theirs.send(octets[:60_000])
        theirs.shutdown(socket.SHUT_WR)
        conversation = Conversation(ours, "example.org", 5)
        while True:  # to the end, which is an OSError
            reply = conversation.reply(5)
            for phase in Phase:
                outcome = outcome_of(reply, phase)
            diagnose(outcome.text, code=outcome.code or 0, status=outcome.status, phase=phase)


REPLIES = [
    b"220 mx ESMTP\r\n250-mx\r\n250-SIZE 1000\r\n250 PIPELINING\r\n250 2.1.0 Ok\r\n",
    b"550-5.1.1 The email account that you tried to reach\r\n550 5.1.1 does not exist gsmtp\r\n",
    b"421 4.7.0 Try again later\r\n451 4.3.0 x\r\n552 5.2.2 full\r\n554 5.7.1 <a@b.c>: refused\r\n",
]

# ---- webhooks ------------------------------------------------------------------------------------

_SNS = {"Type": "Notification", "TopicArn": KEY, "Message": "{}", "Signature": "eA==",
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/x.pem", "Timestamp": "x"}  # fmt: skip
EVENTS = as_json(
    {"notificationType": "Bounce", "bounce": {"bounceType": "Permanent", "bouncedRecipients": [
        {"emailAddress": "a@x.org", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 no"}]},
     "mail": {"source": "bounces+1-x@example.org"}},
    {"RecordType": "Bounce", "Type": "HardBounce", "Email": "a@x.org", "Details": "550 5.1.1"},
    [{"event": "bounce", "email": "a@x.org", "type": "bounce", "reason": "550", "status": "5.1.1"}],
    {"signature": {"timestamp": "1700000000", "token": "x", "signature": "y"},
     "event-data": {"event": "failed", "severity": "permanent", "recipient": "a@x.org",
                    "delivery-status": {"code": 550, "message": "no"}, "envelope": {"sender": "x"}}},
    {"event": "hard_bounce", "email": "a@x.org", "reason": "550 5.1.1"},
    {"event": "complaint", "address": "a@x.org", "sender": "b+1-x@example.org", "permanent": True},
    _SNS, {**_SNS, "Type": "SubscriptionConfirmation", "SubscribeURL": "https://x", "Token": "x"},
)  # fmt: skip
HEADERS = st.sampled_from([
    "authorization", "x-signature", "x-twilio-email-event-webhook-timestamp",
    "x-twilio-email-event-webhook-signature",
])  # fmt: skip


class _Nobody:
    """Knows no delivery."""

    def of_event(self, sender: str, address: str) -> None:
        VERP.tag_in(sender)


def take_webhook(request: tuple[str, Mapping[str, str], bytes]) -> None:
    service, headers, body = request

    def fetch(_url: str) -> bytes:
        return body  # no certificate

    webhooks = Webhooks(
        dict.fromkeys(SERVICES, (KEY,)),
        cast("Attribution", _Nobody()),
        cast("FeedbackHandler", None),
        shipped_table(),
        fetch,
    )
    webhooks.take(service, headers, body, NOW)
    with_password = {**headers, "authorization": f"Bearer {KEY}"}
    webhooks.take(service, with_password, body, NOW)


def read_events(body: bytes) -> None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):  # which is told before an event is looked for
        return
    for service in SERVICES:
        for event in events_in(service, value):
            diagnosed_event(event, service, shipped_table())

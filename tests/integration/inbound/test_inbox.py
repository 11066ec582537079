"""Mail that comes back, from each kind of mailbox: what is done about it, and how it is marked."""

import io
import mailbox
from datetime import timedelta
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from digest.errors import InboxError
from digest.inbound import inbox as inbox_module
from digest.inbound.attribution import Attribution
from digest.inbound.bounce_policy import Limits
from digest.inbound.feedback_handler import FeedbackHandler
from digest.inbound.inbox import InboundVerdict, Inbox
from digest.inbound.mailboxes import count_aside, count_for_review, messages_in, messages_on
from digest.inbound.report import Flag, InboundMessage
from digest.ledger.reviews import Review, ReviewPlace
from digest.ledger.tables import bounces
from digest.model.deliveries import DeliveryState
from digest.model.verp import Verp
from digest.settings.imap_folder import imap_folder
from subscribers.model import Standing
from subscribers.tokens import Purpose
from tests import reports
from tests.integration.imap_server import HOST, PASSWORD, USER, ImapServer
from tests.integration.ledger.test_papers import absorb
from tests.integration.plans import bring, plan
from tests.integration.site import COMPOSER, SENDER
from tests.raw_message import read
from tests.support import NOW, TODAY, make_candidate, make_sighting

COMPLAINTS = "complaints@example.org"
VERP = Verp([SENDER.secret], "bounces@example.org")


@pytest.fixture
def ada(registry):
    return registry.add("ada@example.org", (), source="test", now=NOW)


@pytest.fixture
def grace(registry):
    return registry.add("grace@example.org", (), source="test", now=NOW)


@pytest.fixture
def inbox(ledger, registry):
    feedback = FeedbackHandler(ledger, registry, Limits(hard_bounces=5, complaints=0.1))
    return Inbox(registry, Attribution(ledger, registry, VERP, SENDER.tokens), feedback)


@pytest.fixture
def sent(ledger, ada):
    """The delivery that Ada got."""
    absorb(ledger, make_sighting(1))
    delivery = plan(ledger, ledger.editions.freeze(TODAY, TODAY, NOW), ada.id, "example.net")
    with ledger.live_workers.enter() as claims:
        bring(ledger, claims, delivery, DeliveryState.ACCEPTED)
    return delivery


@pytest.fixture
def sender(sent, ada):
    """The envelope sender of that delivery."""
    return VERP.sender_for(sent.id, ada.address)


def mail(subject, body="please"):
    message = EmailMessage()
    message["From"] = "somebody@example.net"
    message["Subject"] = subject
    message.set_content(body)
    return message.as_bytes()


def by_hand(subject, body=""):
    """A mail to an envelope sender, which stands for TO in it."""
    return (
        f"From: Ada <ada@example.org>\nTo: TO\nSubject: {subject}\n"
        f"Content-Type: text/plain; charset=utf-8\n\n{body}\n"
    ).encode()


def to_leave(person):
    return mail(SENDER.tokens.make(Purpose.UNSUBSCRIBE, person.public_id))


def token(person):
    return SENDER.tokens.make(Purpose.UNSUBSCRIBE, person.public_id)


def verdicts(inbox, *mails):
    """What becomes of some mails."""
    return list(inbox.read(map(InboundMessage, mails), NOW).elements())


def kinds(ledger):
    with ledger.engine.connect() as connection:
        return list(connection.execute(select(bounces.c.kind)).scalars())


# ---- in each kind of mailbox -------------------------------------------------------------------


def maildir_in(folder, *mails):
    with_folders = mailbox.Maildir(folder / "maildir", create=True)
    for mail in mails:
        with_folders.add(mail)
    return folder / "maildir"


def mbox_in(folder, *mails):
    box = mailbox.mbox(folder / "mbox")
    for mail in mails:
        box.add(mail)
    box.close()
    return folder / "mbox"


@pytest.fixture(params=["Maildir", "mbox", "IMAP"])
def mailbox_of(request, tmp_path):
    """Puts mails into a mailbox, and says where it is."""
    if request.param != "IMAP":
        make = {"Maildir": maildir_in, "mbox": mbox_in}[request.param]
        yield lambda *mails: make(tmp_path, *mails)
        return
    with ImapServer() as server:

        def place(*mails):
            server.add(*mails)
            who = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}"
            return imap_folder(f"imap://{who}@{HOST}:{server.port}")

        yield place


def test_what_is_dealt_with_is_read_and_what_is_not_is_flagged(
    inbox, registry, mailbox_of, ada, grace
):
    place = mailbox_of(mail("Hello"), to_leave(ada), mail("And you?"))
    assert inbox.read(messages_in(place), NOW) == {
        InboundVerdict.UNSUBSCRIBED: 1,
        InboundVerdict.UNKNOWN: 2,
    }
    assert registry.standing(ada.id) is Standing.WITHDRAWN
    assert registry.standing(grace.id) is Standing.MAY_RECEIVE
    said = registry.file_of("ada@example.org").evidence[-1]
    assert (said.event, said.source, said.at) == ("withdrawn", "unsubscribe mail", NOW)
    assert list(messages_in(place)) == []


def test_what_waits_for_a_person_is_counted(inbox, mailbox_of, ada):
    place = mailbox_of(mail("a question"), to_leave(ada), mail("another"))
    assert count_for_review(place) == 0
    inbox.read(messages_in(place), NOW)
    assert count_for_review(place) == 2


def test_how_many_wait_and_since_when_is_kept(ledger):
    assert ledger.reviews.all() == Review()
    ledger.reviews.record(ReviewPlace.INBOX, 2, NOW)
    ledger.reviews.record(ReviewPlace.INBOX, 3, NOW + timedelta(hours=1))
    ledger.reviews.record(ReviewPlace.ASIDE, 1, NOW + timedelta(hours=2))
    assert ledger.reviews.all() == Review(4, NOW)
    ledger.reviews.record(ReviewPlace.INBOX, 0, NOW + timedelta(hours=3))
    assert ledger.reviews.all() == Review(1, NOW + timedelta(hours=2))


def test_a_mail_that_was_read_does_not_undo_a_return(inbox, registry, mailbox_of, ada):
    place = mailbox_of(to_leave(ada), mail("Hello"))
    inbox.read(messages_in(place), NOW)
    registry.undo(ada.public_id, source="test", now=NOW)
    assert not inbox.read(messages_in(place), NOW)
    assert registry.standing(ada.id) is Standing.MAY_RECEIVE


def test_what_breaks_off_is_read_again(inbox, mailbox_of, ada, monkeypatch):
    place = mailbox_of(to_leave(ada), mail("Hello"))

    def fail(*_, **__):
        raise OperationalError("select", {}, Exception("the database is gone"))

    with monkeypatch.context() as patch:
        patch.setattr(inbox._registry, "withdraw", fail)
        with pytest.raises(OperationalError):
            inbox.read(messages_in(place), NOW)
    assert inbox.read(messages_in(place), NOW)[InboundVerdict.UNSUBSCRIBED] == 1


def test_one_mail_that_breaks_something_does_not_stop_the_others(
    inbox, ada, monkeypatch, mailbox_of, capsys
):
    place = mailbox_of(mail("x@example.org breaks it"), to_leave(ada))
    read_report = inbox_module.read_report

    def fragile(content, table):
        if b"breaks" in content:
            raise RecursionError("x@example.org")
        return read_report(content, table)

    monkeypatch.setattr(inbox_module, "read_report", fragile)
    assert inbox.read(messages_in(place), NOW) == {
        InboundVerdict.UNSUBSCRIBED: 1,
        InboundVerdict.UNKNOWN: 1,
    }
    said = capsys.readouterr().out
    assert "RecursionError" in said
    assert "x@example.org" not in said


@pytest.mark.parametrize("make", [maildir_in, mbox_in])
def test_no_mail_is_lost(inbox, tmp_path, ada, make):
    place = make(tmp_path, mail("Hello"), to_leave(ada), mail("And you?", "with a body"))
    inbox.read(messages_in(place), NOW)
    kept = mailbox.Maildir(place) if place.is_dir() else mailbox.mbox(place)
    marks = [mail.get_flags().strip("O") for mail in kept]
    assert sorted(marks) == ["F", "F", "S" if place.is_dir() else "R"]
    assert any("with a body" in str(mail.get_payload()) for mail in kept)
    kept.close()


def test_flags_of_others_stay_and_a_mail_that_is_moved_is_let_go(tmp_path):
    place = maildir_in(tmp_path, mail("one"), mail("two"))
    one, two = sorted((place / "new").iterdir())
    one.rename(place / "cur" / f"{one.name}:2,PR")
    messages = messages_in(place)
    for message in messages:
        message.flag = Flag.REVIEW
        two.unlink(missing_ok=True)
    assert [file.name for file in (place / "cur").iterdir()] == [f"{one.name}:2,FPR"]


def test_a_mailbox_that_is_none_is_told(tmp_path):
    with pytest.raises(InboxError, match="no such file"):
        list(messages_in(tmp_path / "nowhere"))
    with pytest.raises(InboxError, match="neither an mbox file nor a Maildir"):
        list(messages_in(tmp_path))


def test_a_mailbox_in_use_is_told(tmp_path, ada):
    place = mbox_in(tmp_path, to_leave(ada))
    other = mailbox.mbox(place)
    other.lock()
    with pytest.raises(InboxError, match="mbox"):
        list(messages_in(place))
    other.close()


# ---- from a stream -----------------------------------------------------------------------------


def test_what_is_not_dealt_with_is_stored(inbox, tmp_path, ada):
    aside = tmp_path / "home" / "aside"
    for content in (to_leave(ada), mail("Hello")):
        inbox.read(messages_on(io.BytesIO(content), aside), NOW)
    [file] = (aside / "new").iterdir()
    assert file.read_bytes() == mail("Hello")
    assert count_aside(aside) == 1


def test_where_nothing_can_be_stored_it_is_told(tmp_path):
    (tmp_path / "aside").touch()
    with pytest.raises(InboxError, match="aside"):
        list(messages_on(io.BytesIO(b"x"), tmp_path / "aside"))


# ---- wishes to leave ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "purpose", [purpose for purpose in Purpose if purpose is not Purpose.UNSUBSCRIBE]
)
def test_another_purposes_token_is_left_to_read(inbox, registry, ada, purpose):
    wish = mail(SENDER.tokens.make(purpose, ada.public_id))
    assert verdicts(inbox, wish) == [InboundVerdict.UNVERIFIED]
    assert registry.standing(ada.id) is Standing.MAY_RECEIVE


@pytest.mark.parametrize(
    "wish",
    [
        by_hand("STOP"),
        by_hand("Re: Twelve papers", "Abmelden\n\nVon meinem iPhone gesendet"),
        by_hand("AW: Papers", "Please take me off the list.\n\n> unsubscribe: https://x.example"),
        by_hand("Re: Papers", "配信停止してください"),
    ],
)
def test_a_reply_to_a_signed_address_may_ask_to_leave_in_its_own_words(
    inbox, registry, ada, sender, wish
):
    assert verdicts(inbox, wish.replace(b"To: TO", b"To: " + sender.encode())) == [
        InboundVerdict.UNSUBSCRIBED
    ]
    assert registry.standing(ada.id) is Standing.WITHDRAWN
    evidence = registry.file_by_id(ada.id).evidence
    assert evidence[-1].source == "unsubscribe mail"


def test_a_reply_may_name_its_writer_by_the_link_that_it_quotes(inbox, registry, ada):
    words = "unsubscribe\n\n> Unsubscribe: https://digest.example.org/unsubscribe/"
    named = token(ada)
    for broken in (named, f"{named[:40]}\n{named[40:]}"):
        assert verdicts(inbox, mail("Re: papers", words + broken)) == [InboundVerdict.UNSUBSCRIBED]
    assert verdicts(inbox, mail("Re: papers", f"I like it\n> {named}")) == [InboundVerdict.UNKNOWN]
    assert registry.standing(ada.id) is Standing.WITHDRAWN


def test_a_wish_to_leave_of_nobody_we_know_is_left(inbox, registry, ada):
    assert verdicts(inbox, mail("unsubscribe")) == [InboundVerdict.UNVERIFIED]
    assert registry.standing(ada.id) is Standing.MAY_RECEIVE


def test_a_token_may_be_folded_into_two_lines(inbox, registry, ada):
    named = token(ada)
    folded = f"From: x@example.net\nSubject: {named[:30]}\n {named[30:]}\n\n".encode()
    assert verdicts(inbox, folded) == [InboundVerdict.UNSUBSCRIBED]
    assert registry.standing(ada.id) is Standing.WITHDRAWN


def test_reports_about_authentication_are_filed_apart(inbox, ada, sender):
    subject = "Report domain: example.org Submitter: google.com Report-ID: 1"
    assert verdicts(inbox, mail(subject)) == [InboundVerdict.AUTHENTICATION]
    assert not InboundVerdict.AUTHENTICATION.needs_review


def test_somebody_who_is_gone_already_is_dealt_with(inbox, registry, ada):
    wish = to_leave(ada)
    registry.remove("ada@example.org")
    assert verdicts(inbox, wish) == [InboundVerdict.UNSUBSCRIBED]


def test_the_link_of_a_digest_leads_out(inbox, registry, ada):
    from digest.model.digests import Digest, Pick, Section

    digest = Digest(TODAY, (), (Pick(Section.TRENDING, make_candidate()),), 1)
    sent = COMPOSER.compose(digest, to=ada.address, public_id=ada.public_id, now=NOW)
    link = read(sent.content).one("List-Unsubscribe").rpartition("<")[2].rstrip(">")
    assert parseaddr(urlsplit(link).path)[1] == "unsubscribe@example.org"
    [subject] = parse_qs(urlsplit(link).query)["subject"]
    assert verdicts(inbox, mail(subject)) == [InboundVerdict.UNSUBSCRIBED]
    assert registry.standing(ada.id) is Standing.WITHDRAWN


# ---- reports -----------------------------------------------------------------------------------


def test_a_dead_address_gets_nothing_more_whatever_address_is_named(
    inbox, ledger, registry, ada, sender
):
    for _ in range(2):
        assert verdicts(inbox, reports.failure(sender)) == [InboundVerdict.HARD]
        assert registry.standing(ada.id) is Standing.SUPPRESSED
        assert registry.suppressions.covers(ada.address)
        assert not registry.suppressions.covers("forwarded@elsewhere.example")
        assert kinds(ledger) == ["hard"]


@pytest.mark.parametrize("name", ["Delivered_To", "X_Original_To", "Envelope_To"])
def test_a_mail_server_may_say_whom_a_report_was_sent_to(inbox, sender, name):
    report = reports.failure("postmaster@example.org", **{name: sender.upper()})
    assert verdicts(inbox, report) == [InboundVerdict.HARD]


def test_other_failures_are_counted(inbox, ledger, registry, ada, sender):
    assert verdicts(inbox, reports.failure(sender, "5.2.2", "mailbox full")) == [
        InboundVerdict.SOFT
    ]
    assert kinds(ledger) == ["soft"]
    assert registry.standing(ada.id) is Standing.MAY_RECEIVE


@pytest.mark.parametrize(
    ("status", "said"),
    [("5.7.1", "blocked by our blocklist"), ("5.7.26", "unauthenticated"), ("5.3.4", "too large")],
)
def test_a_failure_that_is_not_about_the_address_counts_against_nobody(
    inbox, ledger, registry, ada, sender, status, said
):
    assert verdicts(inbox, reports.failure(sender, status, said)) == [InboundVerdict.SOFT]
    assert kinds(ledger) == ["blocked"]
    assert ledger.provider_queues.paused() == []
    assert registry.standing(ada.id) is Standing.MAY_RECEIVE


def test_delays_and_answers_change_nothing(inbox, ledger, registry, ada, sender):
    assert verdicts(inbox, reports.delay(sender), reports.answer(sender)) == [
        InboundVerdict.DELAYED,
        InboundVerdict.AUTO_REPLY,
    ]
    assert kinds(ledger) == []
    assert registry.standing(ada.id) is Standing.MAY_RECEIVE


@pytest.mark.parametrize("report", [reports.failure, reports.complaint])
@pytest.mark.parametrize(
    "to",
    [
        "bounces@example.org",
        "bounces+{id}-aaaaaaaaaaaaaaaaaaaa@example.org",
        Verp(["another secret"], "bounces@example.org").sender_for(1, "ada@example.org"),
    ],
)
def test_what_is_not_proven_changes_nothing(inbox, ledger, registry, ada, sent, report, to):
    assert verdicts(inbox, report(to.format(id=sent.id))) == [InboundVerdict.UNVERIFIED]
    assert kinds(ledger) == []
    assert registry.standing(ada.id) is Standing.MAY_RECEIVE


def test_a_mailbox_that_somebody_has_left_is_not_held_against_them(
    inbox, ledger, registry, ada, sender
):
    move = registry.address_changes.ask(ada, "ada@new.example", NOW)
    registry.address_changes.complete(move.public_id, source="test", now=NOW)
    assert verdicts(inbox, reports.failure(sender)) == [InboundVerdict.UNVERIFIED]
    assert registry.standing(ada.id) is Standing.MAY_RECEIVE


def test_of_whom_is_gone_there_is_nothing_to_do(inbox, ledger, registry, ada, sent, sender):
    nobody = VERP.sender_for(sent.id + 1, ada.address)
    registry.remove(ada.address)
    every = [reports.failure(sender), reports.failure(nobody), reports.complaint(sender)]
    by_token = reports.complaint(COMPLAINTS, unsubscribe=token(ada))
    assert set(verdicts(inbox, *every, by_token)) == {InboundVerdict.OBSOLETE}
    assert kinds(ledger) == []
    assert not registry.suppressions.covers(ada.address)


@pytest.mark.parametrize("shown", ["to", "sender", "return_path", "unsubscribe"])
def test_whoever_complains_gets_nothing_more(inbox, ledger, registry, ada, sender, shown):
    what = {shown: token(ada) if shown == "unsubscribe" else sender}
    for _ in range(2):
        assert verdicts(inbox, reports.complaint(**{"to": COMPLAINTS, **what})) == [
            InboundVerdict.COMPLAINT
        ]
        assert registry.standing(ada.id) is Standing.SUPPRESSED
        assert kinds(ledger) == ["complaint"]


def test_a_complaint_by_somebody_who_was_sent_nothing_counts_too(inbox, ledger, registry, ada):
    assert verdicts(inbox, reports.complaint(COMPLAINTS, unsubscribe=token(ada))) == [
        InboundVerdict.COMPLAINT
    ]
    assert registry.standing(ada.id) is Standing.SUPPRESSED
    assert kinds(ledger) == []


def test_a_failure_is_not_proven_by_what_it_quotes(inbox, registry, ada, sender):
    quoted = reports.complaint(COMPLAINTS, return_path=sender, unsubscribe=token(ada))
    forged = quoted.replace(b"feedback-report", b"delivery-status").replace(
        b"Feedback-Type: abuse", b"Final-Recipient: rfc822; ada@example.org\r\nAction: failed"
    )
    assert verdicts(inbox, forged.replace(b"Version: 1", b"Status: 5.1.1")) == [
        InboundVerdict.UNVERIFIED
    ]
    assert registry.standing(ada.id) is Standing.MAY_RECEIVE


def test_mail_by_people_is_left(inbox, sender):
    assert verdicts(inbox, reports.by_person(sender)) == [InboundVerdict.UNKNOWN]

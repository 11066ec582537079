"""Mail that asks to unsubscribe, from each kind of mailbox."""

import io
import mailbox
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import parse_qs, urlsplit

import pytest

from digest.errors import InboxError
from digest.inbox.inbox import Inbox, Read
from digest.inbox.mailboxes import letter_from, letters_in
from subscribers.model import Standing
from subscribers.tokens import Purpose
from tests.integration.site import COMPOSER, SENDER
from tests.raw_message import read
from tests.support import NOW, TODAY, make_candidate


@pytest.fixture
def ada(registry):
    return registry.add("ada@example.org", (), source="test", now=NOW)


@pytest.fixture
def grace(registry):
    return registry.add("grace@example.org", (), source="test", now=NOW)


@pytest.fixture
def inbox(registry):
    return Inbox(registry, SENDER.tokens)


def mail(subject, body="please"):
    message = EmailMessage()
    message["From"] = "somebody@example.net"
    message["Subject"] = subject
    message.set_content(body)
    return message


def to_leave(person):
    return mail(SENDER.tokens.make(Purpose.UNSUBSCRIBE, person.public_id))


def maildir_in(folder, *mails):
    box = mailbox.Maildir(folder / "maildir", create=True)
    for each in mails:
        box.add(each)
    return folder / "maildir"


def mbox_in(folder, *mails):
    box = mailbox.mbox(folder / "mbox")
    for each in mails:
        box.add(each)
    box.close()
    return folder / "mbox"


@pytest.fixture(params=[maildir_in, mbox_in])
def mailbox_of(request, tmp_path):
    return lambda *mails: request.param(tmp_path, *mails)


def test_whoever_writes_to_leave_has_left(inbox, registry, mailbox_of, ada, grace):
    place = mailbox_of(mail("Hello"), to_leave(ada))
    assert inbox.read(letters_in(place), NOW) == Read(unsubscribed=1, left=1)
    assert registry.standing(ada.id) is Standing.WITHDRAWN
    assert registry.standing(grace.id) is Standing.MAY_RECEIVE
    said = registry.file_of("ada@example.org").evidence[-1]
    assert (said.event, said.source, said.at) == ("withdrawn", "unsubscribe mail", NOW)


def test_a_mail_that_was_read_does_not_undo_a_return(inbox, registry, mailbox_of, ada):
    place = mailbox_of(to_leave(ada), mail("Hello"))
    inbox.read(letters_in(place), NOW)
    registry.undo(ada.public_id, source="test", now=NOW)
    assert inbox.read(letters_in(place), NOW) == Read(unsubscribed=0, left=1)
    assert registry.standing(ada.id) is Standing.MAY_RECEIVE


def test_no_mail_is_lost(inbox, mailbox_of, ada):
    place = mailbox_of(mail("Hello"), to_leave(ada), mail("And you?", "with a body"))
    inbox.read(letters_in(place), NOW)
    kept = mailbox.Maildir(place) if place.is_dir() else mailbox.mbox(place)
    assert len(kept) == 3
    assert any("with a body" in str(each.get_payload()) for each in kept)
    kept.close()


@pytest.mark.parametrize("purpose", [each for each in Purpose if each is not Purpose.UNSUBSCRIBE])
def test_another_purposes_token_is_left_to_read(inbox, registry, ada, purpose):
    letter = letter_from(io.BytesIO(mail(SENDER.tokens.make(purpose, ada.public_id)).as_bytes()))
    assert inbox.read([letter], NOW) == Read(unsubscribed=0, left=1)
    assert not letter.is_done
    assert registry.standing(ada.id) is Standing.MAY_RECEIVE


def test_somebody_who_is_gone_already_is_dealt_with(inbox, registry, ada):
    wish = to_leave(ada).as_bytes()
    registry.remove("ada@example.org")
    assert inbox.read([letter_from(io.BytesIO(wish))], NOW) == Read(unsubscribed=1)


def test_the_link_of_a_digest_leads_out(inbox, registry, ada):
    from digest.model import Digest, Pick, Section

    digest = Digest(TODAY, (), (Pick(Section.TRENDING, make_candidate()),), 1)
    sent = COMPOSER.compose(digest, to=ada.address, public_id=ada.public_id, now=NOW)
    link = read(sent.content).one("List-Unsubscribe").rpartition("<")[2].rstrip(">")
    assert parseaddr(urlsplit(link).path)[1] == "unsubscribe@example.org"
    [subject] = parse_qs(urlsplit(link).query)["subject"]
    assert inbox.read([letter_from(io.BytesIO(mail(subject).as_bytes()))], NOW).unsubscribed == 1
    assert registry.standing(ada.id) is Standing.WITHDRAWN


def test_a_mailbox_that_is_none_is_told(tmp_path):
    with pytest.raises(InboxError, match="no such file"):
        list(letters_in(tmp_path / "nowhere"))
    with pytest.raises(InboxError, match="neither an mbox file nor a Maildir"):
        list(letters_in(tmp_path))


def test_a_mailbox_in_use_is_told(tmp_path, ada):
    place = mbox_in(tmp_path, to_leave(ada))
    other = mailbox.mbox(place)
    other.lock()
    with pytest.raises(InboxError, match="mbox"):
        list(letters_in(place))
    other.close()

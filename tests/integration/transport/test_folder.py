"""FolderTransport: a file for each message, whole or not at all."""

from dataclasses import replace
from pathlib import Path

import pytest

from digest.deliver.transport.folder import FolderTransport
from digest.deliver.transport.transport import make_transport
from digest.errors import TransportError
from digest.model.messages import Envelope, Message, OutcomeKind
from tests.support import make_settings

MESSAGE = Message(
    Envelope("bounces@example.org", "ada@example.org"),
    "<1@example.org>",
    b"Subject: x\r\n\r\n.dot\r\n\xc3\xa9\r\n",
)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_message_is_a_file_with_the_same_bytes(tmp_path):
    folder = tmp_path / "made" / "outbox"
    with FolderTransport(folder) as transport:
        outcome = transport.send(MESSAGE)
        path = transport.path_of(MESSAGE)
    assert (outcome.kind, outcome.code, outcome.text) == (OutcomeKind.ACCEPTED, 250, str(path))
    assert path.read_bytes() == MESSAGE.content
    assert files(folder) == [path.name]
    assert path.name.startswith("ada@example.org-")
    assert path.suffix == ".eml"


def test_a_message_sent_again_replaces_itself(tmp_path):
    with FolderTransport(tmp_path) as transport:
        transport.send(replace(MESSAGE, content=b"a longer one, of before\r\n"))
        transport.send(MESSAGE)
    [name] = files(tmp_path)
    assert (tmp_path / name).read_bytes() == MESSAGE.content


def test_two_messages_to_one_person_are_two_files(tmp_path):
    with FolderTransport(tmp_path) as transport:
        transport.send(MESSAGE)
        transport.send(replace(MESSAGE, message_id="<2@example.org>"))
    assert len(files(tmp_path)) == 2


@pytest.mark.parametrize(
    "address", ["../../etc/passwd@example.org", "a/b@example.org", "..", f"{'x' * 300}@a.org"]
)
def test_no_address_leads_out_of_the_folder(tmp_path, address):
    folder = tmp_path / "outbox"
    with FolderTransport(folder) as transport:
        transport.send(replace(MESSAGE, envelope=Envelope("b@example.org", address)))
    assert len(files(folder)) == 1
    assert files(tmp_path) == ["outbox"]


def test_a_folder_that_cannot_be_made_is_a_transport_error(tmp_path):
    in_the_way = tmp_path / "outbox"
    in_the_way.write_text("a file", encoding="utf-8")
    with pytest.raises(TransportError, match=f"^{in_the_way}: "):
        FolderTransport(in_the_way).__enter__()


def test_a_file_that_cannot_be_written_is_a_transport_error_and_leaves_nothing(tmp_path):
    with FolderTransport(tmp_path) as transport:
        path = transport.path_of(MESSAGE)
        path.mkdir()  # a folder of that name cannot be replaced by a file
        with pytest.raises(TransportError, match=f"^{tmp_path}: Is a directory$"):
            transport.send(MESSAGE)
    assert files(tmp_path) == [path.name]


def test_the_folder_of_the_settings_may_hold_blanks(tmp_path):
    folder = tmp_path / "an outbox"
    with make_transport(make_settings(transport=folder.as_uri())) as transport:
        transport.send(MESSAGE)
    assert len(files(folder)) == 1


def test_without_a_setting_the_outbox_is_in_the_home_folder(tmp_path):
    with make_transport(make_settings(home=str(tmp_path))) as transport:
        transport.send(MESSAGE)
    assert len(files(tmp_path / "outbox")) == 1

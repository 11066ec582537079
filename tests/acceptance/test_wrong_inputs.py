"""What somebody new types wrongly: one line says what happened, where, and what to do."""

import shlex
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import Person, operator_with

NOT_UNDERSTOOD = {
    "statu": "No such command 'statu'. Did you mean 'status'?",
    "subscribers ad": "No such command 'ad'. Did you mean 'add'?",
    "status --jsno": "No such option: --jsno",
    "send": "Missing option '--to'.",
    "why": "Missing argument 'ADDRESS'.",
    "run once": "unexpected extra argument(s) (once)",
    "run --now yesterday": "'yesterday' is not a time like 2026-01-31T08:00:00Z",
    "run --now 9999-12-31": "'9999-12-31' is not between 1991 and 2100",
    "collect empty --date 05.12.2025": "'05.12.2025' is not a date like 2026-01-31",
    "collect empty --date ２０２５-12-05": "'２０２５-12-05' is not a date like 2026-01-31",
    "preview --date 2025-02-30": "'2025-02-30' is not a date like 2026-01-31",
    "collect --id banana": "'banana' is not an arXiv id like 1706.03762",
    "search robots --most -3": "Invalid value for '--most'",
    "up --port 99999": "Invalid value for '--port'",
    "serve --port -1": "Invalid value for '--port'",
    "studio --port http": "Invalid value for '--port'",
    "run --now 2026-01-31T25:00": "'2026-01-31T25:00' is not a time like 2026-01-31T08:00:00Z",
    "collect --date 2099-01-01": "2099-01-01 is in the future: no paper is listed on it yet",
    "subscribers add ada@example.org --topics x": "No such option: --topics (Possible options: --t",
    "subscribers unsuppress --reason soft-bounce": "give an address, or --reason and --since",
    "subscribers unsuppress --reason complaint --since 2025-12-05": "only blocks for soft-bounce or",
    "subscribers list --consent yes": "'yes' is not one of 'pending', 'confirmed', 'withdrawn'",
    "dkim generate 'a b'": "'a b': expected at most 63 letters, digits and hyphens, like 2026a",
    "deliveries uncertain --resend --drop": "give --resend or --drop, not both",
    "db adopt": "give --drop if this is an older copy, or --send if the database",
    "db adopt --drop --send": "give --drop or --send, not both",
    "inbox message.eml folder": "one mailbox at a time; 'folder' is a second one",
    "inbox message.eml --watch": "--watch reads DIGEST_INBOX: give no other mailbox",
    "inbox classify": "classify needs files, as in: digest inbox classify message.eml",
    "inbox imaps://nothing": "expected imaps://USER:PASSWORD@HOST/FOLDER",
}
WENT_WRONG = {
    "collect missing.json": "left out: missing.json, whole file: No such file or directory",
    "collect octets": "left out: octets, whole file: neither an answer of",
    "collect folder": "folder: there is no file in this folder",
    "collect --source nature": "there is no source 'nature'; installed are: arxiv, biorxiv, feeds, huggingface, medrxiv",
    "serve --port {taken}": "port {taken}: Address already in use; choose others with",
    "up --port {taken}": "port {taken}: Address already in use; choose others with",
    "studio --port {taken}": "port {taken}: Address already in use; choose others with",
    "serve --host nowhere.invalid": "cannot listen on nowhere.invalid, port 8000: ",
    "studio --templates names.csv": "DIGEST_TEMPLATES is 'names.csv': expected an existing folder",
    "send --to nobody": "'nobody' is not an email address",
    "send --to ａｄａ＠example.org": "'ａｄａ＠example.org' is not an email address",
    "send --to ada@example.org": "nothing is collected yet: run digest collect",
    "preview --topic 'author:'": "column 8: expected a value after author:",
    "preview --topic '\"open'": "column 1: expected a closing quotation mark",
    "search robots": "nothing is collected yet: run digest collect",
    "why nobody@example.org": "there is no subscriber nobody@example.org",
    "why 17": "there is no delivery 17",
    "inbox": "DIGEST_INBOX is not set: set it, or name a mailbox",
    "inbox missing": "missing: there is no such file or folder",
    "inbox folder": "folder: neither an mbox file nor a Maildir",
    "inbox classify folder": "folder: Is a directory",
    "rank --papers octets --topics missing": "octets: nothing was read from this file",
    "rank --papers missing --topics missing": "missing: No such file or directory",
    "subscribers add nobody": "'nobody' is not an email address",
    "subscribers add ada@example.org --topic ''": "a topic needs at least one word",
    "subscribers show nobody@example.org": "there is no subscriber nobody@example.org",
    "subscribers unsuppress nobody@example.org": "there is no block on nobody@example.org",
    "subscribers import missing.csv": "missing.csv: No such file or directory",
    "subscribers import folder": "folder: Is a directory",
    "subscribers import octets": "left out: line 1: ",
    "subscribers import empty": "the file is empty: expected a header with the column email",
    "subscribers import names.csv": "the header has no column email, but: name, street",
    "subscribers add 'ada@example.org,bob@example.org'": "is not an email address: check the spelling",
    "deliveries resume example.net": "sending to example.net was not paused; digest deliveries",
    "deliveries balance": "there is no edition yet: digest run makes one",
    "deliveries balance --date 2020-01-01": "there is no edition of 2020-01-01",
    "backup folder": "folder is not a regular file",
    "backup missing/digest.backup": "missing/digest.backup: No such file or directory",
    "restore folder": "folder: Is a directory",
    "restore message.eml": "message.eml is no backup",
    "dkim generate 2026a --out folder": "folder is there already: nothing was written",
    "dkim generate 2026a --out missing/key.pem": "missing/key.pem cannot be written: No such file",
    "backup names.csv": "names.csv exists already: --force replaces it",
    "dkim record": "DIGEST_DKIM_KEY is not set: emails are not signed here",
    "templates check digset": "mail/digset: there is no sample",
    "templates eject names.csv": "names.csv is not an empty folder: nothing was copied",
    "demo --home names.csv": "names.csv: cannot make this folder (File exists)",
}


@pytest.fixture(scope="module")
def somebody(tmp_path_factory: pytest.TempPathFactory, new_sqlite: Path) -> Person:
    """Somebody whose settings are right, with files of all kinds around them."""
    folder = tmp_path_factory.mktemp("wrong")
    person = operator_with(new_sqlite, folder)
    (folder / "folder").mkdir()
    (folder / "empty").write_text("")
    (folder / "octets").write_bytes(bytes(range(256)))
    (folder / "message.eml").write_text("From: ada@example.org\n\nHello.\n")
    (folder / "names.csv").write_text("name,street\nAda,1 Example Street\n")
    return person


@pytest.fixture(scope="module")
def taken() -> Iterator[int]:
    """The number of a port that another program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("typed", "status", "says"),
    [(typed, 2, says) for typed, says in NOT_UNDERSTOOD.items()]
    + [(typed, 1, says) for typed, says in WENT_WRONG.items()],
)
def test_it_is_one_line_that_helps(
    somebody: Person, taken: int, typed: str, status: int, says: str
) -> None:
    done = somebody.run(*shlex.split(typed.format(taken=taken)))
    assert done.returncode == status
    says = says.format(taken=taken)
    told = [line for line in done.stderr.splitlines() if says in line]
    assert len(told) == 1, done.stderr
    others = ("Usage: ", "Try 'digest ", "digest: ", "left out: ", "Files read ", "Bytes read ")
    rest = [line for line in done.stderr.splitlines() if line and line not in told]
    assert [line for line in rest if not line.startswith(others)] == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"DIGEST_FROM: ada@example.org\n", ".env, line 1: expected NAME=value"),
        (b"# mine\n\nDIGEST_FROM_NAME='open\n", ".env, line 3: expected NAME=value"),
        (b"DIGEST_FROM_NAME=J\xe9r\xf4me\n", ".env is not in UTF-8: save it in this encoding"),
        ("DIGEST_FROM=a@b.org".encode("utf-16"), ".env is not in UTF-8: save it in this encoding"),
        (
            b"DIGEST_FRON=a@b.org\n",
            "DIGEST_FRON is not a setting (.env); did you mean DIGEST_FROM?",
        ),
        (b"DIGEST_RUN_AT=8 o'clock\n", 'DIGEST_RUN_AT is "8 o\'clock": expected a time like 08:00'),
        (None, ".env cannot be read: Is a directory"),
    ],
)
def test_a_bad_env_file_is_named(newcomer: Person, content: bytes | None, says: str) -> None:
    file = newcomer.folder / ".env"
    file.mkdir() if content is None else file.write_bytes(content)
    done = newcomer.run("config")
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("answer", "says"), [("y\n", "Given up: 0 that waited."), ("n\n", "What waits is sent.")]
)
def test_whose_a_database_is_can_be_answered_at_a_terminal(
    somebody: Person, answer: str, says: str
) -> None:
    done = somebody.run("db", "adopt", given=answer, at_a_terminal=True)
    assert done.returncode == 0
    assert "May emails have been sent since this copy was made?" in done.stdout
    assert done.stdout.endswith(f"{says}\n")

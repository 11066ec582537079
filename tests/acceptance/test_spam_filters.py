"""The demo's mail before two spam filters, as far as they need no network: its form is in order.

What filters say of the words and links of a mail changes with their rules, and is not asked here,
but what they say of its headers and its MIME parts is. Rules that are true of a plain good mail as
well are observations. So no rule is named here that a filter might call otherwise one day.
"""

import http.client
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from tests.acceptance.conftest import PATIENCE, Person
from tests.integration.smtp_server import HOST, nobody_listens

SPAMASSASSIN, RSPAMD = shutil.which("spamassassin"), shutil.which("rspamd")

# Rules of both filters about how a mail is made, by the beginnings of their names.
FORM = (
    "BAD_ENC", "BASE64_", "BLANK_LINES", "BOGUS_", "BROKEN_", "CHARSET_", "CTE_", "CTYPE_", "CT_",
    "DUP_", "EMPTY_", "FROM_", "HEADER_", "HEAD_", "HTML_BAD", "HTML_CHARSET", "HTML_EXTRA_CLOSE",
    "HTML_MIME_", "HTML_MISSING_", "HTML_NONELEMENT", "HTML_TAG_", "HTML_TITLE_", "INVALID_",
    "MALF", "MID_", "MIME", "MISSING_", "MPART_", "MSGID_", "MULTIPLE_", "NO_HEADERS", "REPLYTO_",
    "R_BAD_", "R_MISSING_", "R_MIXED_", "R_NO_SPACE", "R_PARTS_DIFFER", "SUBJ", "SUSPICIOUS_B",
    "TO_", "UNPARSE",
)  # fmt: skip
# Not among the names, and so passed over: NO_RECEIVED, NO_RELAYS, RCVD_* (nobody has taken the mail
# yet), DATE_IN_PAST (the demo's day is a fixed one), R_DKIM_NA (it has no key),
# HTML_FONT_LOW_CONTRAST and MANY_INVISIBLE_PARTS (the hidden line that inboxes show beside the
# subject), URI_COUNT_ODD (a mail has as many links as it has).

# What a mail must not look like; a filter that says nothing of its form has not looked.
BAD_MAIL = b"Subject: =?utf-8?q?HELLO\r\nContent-Type: text/html\r\n\r\nhello"


def good_mail() -> bytes:
    """A mail such as anybody may write to one reader, in two parts."""
    mail = EmailMessage()
    mail["From"] = mail["Reply-To"] = "Ada Lovelace <ada@example.org>"
    mail["To"] = "bob@example.org"
    mail["Subject"] = "The engine is ready"
    mail["Date"] = datetime(2025, 12, 5, 8, tzinfo=UTC)
    mail["Message-ID"] = "<1@example.org>"
    mail.set_content("The engine is ready. Come and see it.\n")
    mail.add_alternative(
        "<!doctype html><html><head><title>The engine</title></head>"
        "<body><p>The engine is ready. Come and see it.</p></body></html>\n",
        subtype="html",
    )
    return mail.as_bytes(policy=SMTP)


@pytest.mark.skipif(not SPAMASSASSIN, reason="no SpamAssassin on this machine")
def test_spamassassin_finds_nothing_wrong_with_its_form(
    demo: list[Path], spamassassin: Callable[[list[Path]], list[set[str]]], tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.eml", tmp_path / "bad.eml"
    good.write_bytes(good_mail())
    bad.write_bytes(BAD_MAIL)
    *found, of_good, of_bad = spamassassin([*demo, good, bad])
    assert [about_form(rules - of_good) for rules in found] == [set()] * 3, found
    assert about_form(of_bad - of_good)


@pytest.mark.skipif(not RSPAMD, reason="no Rspamd on this machine")
def test_rspamd_finds_nothing_wrong_with_its_form(
    demo: list[Path], rspamd: Callable[[bytes], set[str]]
) -> None:
    found = [rspamd(path.read_bytes()) for path in demo]
    of_good = rspamd(good_mail())
    assert [about_form(rules - of_good) for rules in found] == [set()] * 3, found
    assert about_form(rspamd(BAD_MAIL) - of_good)


def about_form(rules: set[str]) -> set[str]:
    return {rule for rule in rules if rule.startswith(FORM)}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The mails of the demo."""
    newcomer = Person(tmp_path_factory.mktemp("demo"))
    newcomer.digest("demo")
    return sorted((newcomer.folder / "paper-digest-demo" / "outbox").glob("*.eml"))


@pytest.fixture
def spamassassin(tmp_path: Path) -> Callable[[list[Path]], list[set[str]]]:
    """The rules that SpamAssassin finds to be true of each of some mails."""

    def judge(paths: list[Path]) -> list[set[str]]:
        done = subprocess.run(
            # To be tested, locally only, by nobody's own settings.
            [SPAMASSASSIN, "-t", "-L", "-x", "-p", "/dev/null", *paths],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path), "LC_ALL": "C"},
            capture_output=True,
            check=True,
            timeout=PATIENCE,
        )
        judged = re.findall(r"^X-Spam-Status:.*?tests=(.*?) autolearn=", *_unfolded(done.stdout))
        assert len(judged) == len(paths), done.stderr
        return [set(re.split(r"[,\s]+", rules)) for rules in judged]

    return judge


def _unfolded(said: bytes) -> tuple[str, re.RegexFlag]:
    """Headers in one line each, and how to search them."""
    return re.sub(r"\r?\n[ \t]+", " ", said.decode(errors="replace")), re.MULTILINE


# Its rules alone: no plug-ins, which ask the network for most of what they know.
RSPAMD_SETTINGS = """
options {{
  filters = "chartable,dkim,regexp";
  dns {{ nameserver = ["{host}:9"]; timeout = 0.01s; retransmits = 1; }}
  url_tld = "{folder}/domains";
  disable_hyperscan = true;
  disable_monitoring = true;
  tempdir = "{folder}";
  hs_cache_dir = "{folder}";
  cache_file = "{folder}/symbols";
  stats_file = "{folder}/stats";
  history_file = "{folder}/history";
  control_socket = "{folder}/control";
  pidfile = "{folder}/pid";
}}
logging {{ type = "console"; level = "error"; }}
worker "normal" {{ bind_socket = "{host}:{port}"; count = 1; mime = true; }}
actions {{ reject = 15; }}
lua = "/usr/share/rspamd/rules/rspamd.lua";
"""


@pytest.fixture
def rspamd(tmp_path: Path) -> Iterator[Callable[[bytes], set[str]]]:
    """The rules that Rspamd finds to be true of a mail."""
    with nobody_listens() as port:
        pass
    (tmp_path / "domains").write_text("com\nio\norg\n")
    settings = tmp_path / "rspamd.conf"
    settings.write_text(RSPAMD_SETTINGS.format(host=HOST, port=port, folder=tmp_path))

    def judge(mail: bytes) -> set[str]:
        for attempt in Retrying(
            retry=retry_if_exception_type(OSError),  # it has to start first
            stop=stop_after_delay(PATIENCE),
            wait=wait_fixed(0.05),
            reraise=True,
        ):
            with attempt:
                connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE)
                connection.request("POST", "/checkv2", mail)
                answer = json.load(connection.getresponse())
                connection.close()
        return set(answer["symbols"])

    with subprocess.Popen([RSPAMD, "-f", "-i", "-c", settings]) as process:
        yield judge
        process.terminate()
        process.wait(PATIENCE)

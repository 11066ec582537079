"""`digest send --state`: digests for one reader, by a workflow that keeps nothing but a folder."""

import email
import email.policy
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import time_machine
from lxml import html as lxml_html

from tests.acceptance.conftest import Api, Done, Person, entry, operator_in

MONDAY = datetime(2026, 2, 16, 6, 30, tzinfo=UTC)
KEPT = ("digest.sqlite3", "instance")  # what a workflow puts into its cache
SEND = ("send", "--to", "me@example.org", "--topic", "robots", "--state", "state")


class Workflow:
    """Runs one command a day, each time on a new machine that has only what was kept."""

    def __init__(self, folder: Path, api: Api, patch: pytest.MonkeyPatch) -> None:
        self._folder, self._api, self._patch = folder, api, patch
        self._kept = folder / "kept"
        self._kept.mkdir()
        self.outbox = folder / "outbox"
        self.named = "me/digests"

    def run(self, day: int, *words: str) -> Done:
        machine = self._folder / f"machine-{day}-{len(list(self._folder.iterdir()))}"
        (machine / "state").mkdir(parents=True)
        for file in self._kept.iterdir():
            shutil.copy(file, machine / "state")
        person = operator_in(machine)
        person.settings |= {
            "DIGEST_HUGGINGFACE_URL": self._api.url,
            "DIGEST_TRANSPORT": self.outbox.as_uri(),
            "DIGEST_BASE_URL": "none",
            "DIGEST_INSTANCE": self.named,
        }
        with time_machine.travel(MONDAY + timedelta(days=day), tick=False):
            self._patch.setattr("socket.gethostname", lambda: machine.name)
            done = person.run(*(words or SEND))
        for name in KEPT:
            if (machine / "state" / name).exists():
                shutil.copy(machine / "state" / name, self._kept)
        return done

    def emails(self) -> list[str]:
        return [file.read_text() for file in self.outbox.glob("*.eml")]


@pytest.fixture
def workflow(tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    return Workflow(tmp_path, api, monkeypatch)


def test_a_week_of_a_workflow_shows_each_paper_once(workflow: Workflow, api: Api) -> None:
    titles = ["Robots walk", "Robots climb", "Soup", "Robots fold", "Robots swim"]
    for day, title in enumerate(titles):
        api.days[f"{(MONDAY + timedelta(days=day)).date()}"] = [entry(day + 1, title)]
    counts = []
    for day in range(7):
        done = workflow.run(day)
        assert done.returncode == 0, done.stderr
        counts.append(len(workflow.emails()))
    assert counts == [1, 2, 2, 3, 4, 4, 4], "and none on a day without robots, or without papers"
    assert workflow.run(6).returncode == 0
    assert len(workflow.emails()) == 4, "nor a second one on the same day"
    for number in range(1, 6):
        shown = sum(bool(re.search(rf"2602\.0000{number}", text)) for text in workflow.emails())
        assert shown == (number != 3)


def test_without_pages_nothing_leads_to_them(workflow: Workflow, api: Api) -> None:
    api.days["2026-02-16"] = [entry(1, "Robots walk")]
    workflow.run(0)
    (file,) = workflow.outbox.glob("*.eml")
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    leave = message["List-Unsubscribe"]
    assert leave.startswith("<mailto:unsubscribe@example.org?subject=")
    for name in ("List-Unsubscribe-Post", "List-Help", "List-Archive"):
        assert name not in message
    links = lxml_html.fromstring(message.get_body(("html",)).get_content()).xpath("//a/@href")
    hosts = {urlsplit(link).hostname for link in links if not link.startswith(("#", "mailto:"))}
    assert hosts == {"huggingface.co", "arxiv.org"}
    assert links[-1] == leave.strip("<>")
    text = message.get_body(("plain",)).get_content()
    assert "Unsubscribe: mailto:" in text
    assert "Change your topics" not in text


def test_without_pages_none_are_served(newcomer: Person) -> None:
    operator = operator_in(newcomer.folder)
    operator.settings["DIGEST_BASE_URL"] = "none"
    assert "there are no pages to serve" in operator.fails("serve")


def test_without_its_name_the_state_on_another_machine_sends_nothing(
    workflow: Workflow, api: Api
) -> None:
    api.days["2026-02-16"] = [entry(1, "Robots walk")]
    api.days["2026-02-17"] = [entry(2, "Robots climb")]
    workflow.run(0)
    workflow.named = ""
    done = workflow.run(1)
    assert done.returncode == 1
    assert "digest db adopt" in done.stderr
    assert len(workflow.emails()) == 1


def test_new_topics_count_from_the_next_day_on(workflow: Workflow, api: Api) -> None:
    api.days["2026-02-16"] = [entry(1, "Robots walk")]
    api.days["2026-02-17"] = [entry(2, "A soup of onions")]
    workflow.run(0)
    workflow.run(1, "send", "--to", "me@example.org", "--topic", "soup", "--state", "state")
    assert len(workflow.emails()) == 2


def test_one_folder_is_for_one_reader(newcomer: Person, api: Api) -> None:
    operator = operator_in(newcomer.folder)
    operator.settings["DIGEST_HUGGINGFACE_URL"] = api.url
    api.days["2026-02-16"] = [entry(1, "Robots walk")]
    with time_machine.travel(MONDAY, tick=False):
        operator.digest("send", "--to", "me@example.org", "--state", "state")
        why = operator.fails("send", "--to", "you@example.org", "--state", "state")
    assert "state is the state of me@example.org" in why
    assert operator.run(*SEND, "--dry-run").returncode == 2
    operator.settings["DIGEST_DATABASE_URL"] = f"sqlite:///{newcomer.folder}/other.sqlite3"
    assert operator.run(*SEND).returncode == 2


def test_a_room_gets_markdown_of_what_is_new(newcomer: Person, api: Api) -> None:
    person = operator_in(newcomer.folder)
    person.settings["DIGEST_HUGGINGFACE_URL"] = api.url
    api.days["2026-02-16"] = [entry(1, "Robots [walk](http://evil.example) @everyone")]
    room = (newcomer.folder / "room").as_uri()
    words = ("send", "--to", room, "--topic", "robots", "--state", "state")
    with time_machine.travel(MONDAY, tick=False):
        assert "1 accepted" in person.digest(*words)
        assert "1 accepted" in person.digest(*words), "the same edition, once"
    (file,) = (newcomer.folder / "room").iterdir()
    text = file.read_text()
    assert text.startswith(r"# Robots \[walk\]\(http://evil.example\)")
    assert r"[Robots \[walk\]\(http://evil.example\)" in text
    assert "@everyone" not in text
    assert "/paper/arxiv:2602.00001)" in text
    why = person.fails("send", "--to", "json://127.0.0.1:1/x", "--state", "state")
    assert "give each reader a folder of their own" in why

"""Templates that never end, or take all memory: the program goes on, and says the line."""

import os
import signal
import threading

import pytest

from digest.checks.finding import Level
from digest.compose.composer import Composer
from digest.compose.environment import Templates
from digest.errors import TemplateError
from digest.studio import rendering
from digest.studio.preview import Previews
from digest.studio.rendering import Child, TooExpensive, render_email
from digest.studio.samples import samples, view_of
from tests.support import few_of
from tests.unit.studio.test_preview import SENDER

LOOPS = (
    "a\n{% for a in range(99999) %}{% for b in range(99999) %}\n{{ a }}{% endfor %}{% endfor %}\n"
)
WIDE = "a\n{% set x = namespace(t='x') %}{% for a in range(40) %}\n{% set x.t = x.t ~ x.t %}{% endfor %}\n"
TEXT = "mail/confirm/body.txt.j2"


@pytest.fixture
def child(monkeypatch):
    child = Child()
    yield child
    child.end()


def write(folder, text, name=TEXT):
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def spin():
    while True:
        pass


def view(folder=None):
    templates = Templates(folder)
    return view_of(samples(templates.folders)["confirm"], Composer(templates, SENDER))


def test_the_child_renders_what_this_process_would(child):
    assert child.render(None, "confirm", view()) == render_email(Templates(None), "confirm", view())


@pytest.mark.parametrize(
    ("text", "line", "word"), few_of([(WIDE, {3}, "memory"), (LOOPS, {2, 3}, "seconds|memory")])
)
def test_a_template_that_takes_too_much_is_ended_with_its_line(child, tmp_path, text, line, word):
    write(tmp_path, text)
    with pytest.raises(TooExpensive, match=word) as caught:
        child.render(tmp_path, "confirm", view())
    assert caught.value.template == TEXT
    assert caught.value.line in line
    write(tmp_path, "short")
    assert child.render(tmp_path, "confirm", view())[0].text == "short"


def test_a_fault_is_told_as_ever_by_the_same_child(child, tmp_path):
    write(tmp_path, "\n{{ mail.nothing }}")
    for _ in range(2):
        with pytest.raises(TemplateError) as caught:
            child.render(tmp_path, "confirm", view())
        assert (caught.value.template, caught.value.line) == (TEXT, 2)
        process = child._process
    assert child._process is process


def test_a_child_that_hangs_or_dies_is_replaced(child, monkeypatch):
    assert child.render(None, "confirm", view())
    threading.Timer(0.01, child._process.kill).start()
    child._process.join()
    assert child.render(None, "confirm", view())
    monkeypatch.setattr(rendering, "_KILL_AFTER", 0.0)
    os.kill(child._process.pid, signal.SIGSTOP)
    with pytest.raises(TooExpensive, match="took more than 0 seconds"):
        child.render(None, "confirm", view())


def test_the_checks_stop_at_the_first_sample_that_takes_too_long(child, tmp_path, monkeypatch):
    write(tmp_path, LOOPS)
    asked = []

    def render(mail, view):
        asked.append(mail)
        return child.render(tmp_path, mail, view)

    previews = Previews(Templates(tmp_path), SENDER, None, render)
    (error,) = [each for each in previews.findings("confirm") if each.level is Level.ERROR]
    assert (error.template, error.line in {2, 3}) == (TEXT, True)
    assert asked == ["confirm"]


def test_the_memory_of_the_parent_does_not_count(child):
    """Linux tells a new process the most memory that its parent ever had."""
    much = b"x" * (rendering.MEGABYTES + 100) * 2**20
    assert child.render(None, "confirm", view())[0].text
    del much


def test_a_limit_that_is_caught_is_raised_again(monkeypatch):
    """A build that takes too long is given up like any other, and the plain way begins."""
    monkeypatch.setattr(rendering, "SECONDS", 0.2)
    monkeypatch.setattr(rendering, "_AGAIN_AFTER", 0.1)
    with rendering._limits():
        for _ in range(2):
            with pytest.raises(rendering._LimitError):
                spin()

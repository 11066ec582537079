"""The sample of an email: made in the background, kept until something changes, nobody's own."""

from digest.web.sample import Kept, without_own_links
from subscribers.tokens import Purpose

BASE = "https://digest.example.org/papers"


class Background:
    """Work that waits until it is let run."""

    def __init__(self):
        self.work = []

    def __call__(self, work):
        self.work.append(work)

    def run(self):
        while self.work:
            self.work.pop(0)()


def test_nobody_waits_for_it_and_it_is_made_once():
    background, made = Background(), []
    kept = Kept(lambda: made.append("x") or len(made), lambda: "state", background)
    assert kept.get() == (None, False)
    assert kept.get() == (None, False)
    assert len(background.work) == 1
    background.run()
    assert kept.get() == kept.get() == (1, True)


def test_what_changed_is_made_anew_and_the_old_one_is_shown_meanwhile():
    background, state = Background(), ["monday"]
    kept = Kept(lambda: state[0], lambda: state[0], background)
    kept.get()
    background.run()
    state[0] = "tuesday"
    assert kept.get() == ("monday", False)
    background.run()
    assert kept.get() == ("tuesday", True)


def test_what_was_made_of_an_old_state_is_not_kept_as_new():
    background, state = Background(), [1]
    kept = Kept(lambda: f"of {state[0]}", lambda: state[0], background)
    kept.get()
    state[0] = 2
    kept.get()
    first, second = background.work
    second()
    first()  # late
    assert kept.get() == ("of 2", True)


def test_that_there_is_none_is_known_too():
    kept = Kept(lambda: None, lambda: 0, lambda work: work())
    assert kept.get() == (None, True)


def test_a_readers_own_links_lead_to_the_form_instead():
    own = "".join(f'<a href="{BASE}/{purpose}/abc.DEF/x?y=1">x</a>' for purpose in Purpose)
    public = f'<a href="{BASE}/archive">x</a><a href="https://arxiv.org/opinion/1">x</a>'
    shown = without_own_links(own + public, BASE)
    assert "abc.DEF" not in shown
    assert shown.count(f'"{BASE}/subscribe"') == len(Purpose)
    assert shown.endswith(public)

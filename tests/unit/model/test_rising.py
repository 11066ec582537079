"""Which papers of earlier editions rise."""

from hypothesis import given, settings
from hypothesis import strategies as st

from digest.model.rising import LEAST_GAIN, MOST_RISERS, Growth, late_risers
from tests.support import TODAY, examples


def growth(number: int, before: int, now: int) -> Growth:
    return Growth(number, TODAY, before, now)


def test_a_little_gain_is_no_rise_and_a_loss_is_none():
    growths = [growth(1, 10, 10 + LEAST_GAIN), growth(2, 10, 9 + LEAST_GAIN), growth(3, 10, 0)]
    assert late_risers(growths) == {1}


@settings(max_examples=examples(100))
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=60))
def test_none_that_is_left_out_gained_more(votes):
    growths = [growth(number, *pair) for number, pair in enumerate(votes)]
    rising = late_risers(growths)
    chosen = [each.gain for each in growths if each.paper_id in rising]
    others = [each.gain for each in growths if each.paper_id not in rising]
    assert len(rising) <= MOST_RISERS
    assert all(gain >= LEAST_GAIN for gain in chosen)
    if len(rising) == MOST_RISERS:
        assert max(others, default=0) <= min(chosen)
    else:
        assert all(gain < LEAST_GAIN for gain in others)

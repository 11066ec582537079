"""The guard: which ledgers send at once, and which ask before."""

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from digest.errors import Busy, LedgerError
from digest.ledger.instances import COPIED, mark_as_copied
from digest.ledger.ledger import Ledger
from digest.maintenance.instance_guard import FILE, InstanceGuard
from tests.integration.ledger.test_database import another_process_holding
from tests.support import NOW

pytestmark = pytest.mark.both_databases

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def guard(engine, tmp_path):
    return InstanceGuard(engine, tmp_path / "home", "here")


def stands(guard):
    """Whether mails may be sent."""
    try:
        guard.check()
        guard.renew(LATER)
    except LedgerError:
        return False
    return True


def test_a_new_ledger_is_whoever_uses_it_first(guard):
    guard.check()
    guard.renew(NOW)
    guard.renew(LATER)
    assert stands(guard)


def test_a_ledger_on_another_machine_asks(guard, engine, tmp_path):
    guard.renew(NOW)
    shutil.copytree(tmp_path / "home", tmp_path / "copy")
    for elsewhere in (
        InstanceGuard(engine, tmp_path / "new", "here"),  # shared, or copied without its folder
        InstanceGuard(engine, tmp_path / "copy", "here"),
        InstanceGuard(engine, tmp_path / "home", "there"),
    ):
        assert not stands(elsewhere)
    assert stands(guard)


def test_it_says_who_used_it_last(guard, engine, tmp_path):
    guard.renew(NOW)
    with pytest.raises(LedgerError) as raised:
        InstanceGuard(engine, tmp_path / "new", "there").check()
    assert str(raised.value).startswith("nothing is sent before you run `digest db adopt`: ")
    assert f"by here ({tmp_path / 'home'}), 2026-02-20 08:00 UTC" in str(raised.value)


def test_an_older_copy_asks(guard, engine):
    guard.renew(NOW)
    [then] = Ledger(engine).instances.all()
    guard.renew(LATER)
    Ledger(engine).instances.enter(then)
    assert not stands(guard)


def test_an_older_copy_asks_also_while_another_renews(guard, engine):
    guard.renew(NOW)
    [then] = Ledger(engine).instances.all()
    guard.renew(LATER)
    Ledger(engine).instances.enter(then)
    with (
        another_process_holding(engine, "instance"),
        pytest.raises(LedgerError, match="older copy"),
    ):
        guard.renew(LATER)


def test_while_another_renews_it_waits_and_then_gives_up(guard, engine, tmp_path):
    guard.renew(NOW)
    waits = []
    hurried = InstanceGuard(engine, tmp_path / "home", "here", sleep=waits.append)
    with another_process_holding(engine, "instance"), pytest.raises(Busy, match="instance"):
        hurried.renew(LATER)
    assert 1 < len(waits) < 1000
    assert sum(waits) >= 5
    hurried.renew(LATER)


def test_a_backup_asks_however_new_it_is(guard, engine):
    guard.renew(NOW)
    [instance] = Ledger(engine).instances.all()
    with engine.begin() as connection:
        mark_as_copied(connection, replace(instance, mark=COPIED))
    assert not stands(guard)


def test_once_adopted_it_asks_no_more(guard, engine, tmp_path):
    guard.renew(NOW)
    other = InstanceGuard(engine, tmp_path / "new", "there")
    other.adopt(LATER)
    assert stands(other)
    assert stands(guard), "two machines may share a ledger"
    assert Ledger(engine).instances.sends_from() is None
    other.adopt(LATER, sends_from=LATER)
    assert Ledger(engine).instances.sends_from() == LATER
    assert len(Ledger(engine).instances.all()) == 2


@pytest.mark.parametrize("damage", [b"", b"a", b"one\ntwo\n", b"\n\n\n\n"])
def test_a_damaged_file_asks(guard, tmp_path, damage):
    guard.renew(NOW)
    (tmp_path / "home" / FILE).write_bytes(damage)
    assert not stands(guard)
    guard.adopt(LATER)
    assert stands(guard)


@pytest.mark.parametrize("before", ["the ledger", "the end"])
def test_broken_off_while_the_mark_is_changed_it_goes_on(guard, engine, monkeypatch, before):
    def die(*_):
        raise KeyboardInterrupt

    guard.renew(NOW)
    for _ in range(3):
        with monkeypatch.context() as patch:
            if before == "the ledger":
                patch.setattr("digest.ledger.instances.Instances.mark", die)
            else:
                patch.setattr(
                    "digest.maintenance.instance_guard.InstanceGuard._write",
                    last(die, InstanceGuard._write),
                )
            with pytest.raises(KeyboardInterrupt):
                guard.renew(LATER)
        guard.check()
    assert stands(guard)
    [then] = Ledger(engine).instances.all()
    guard.renew(LATER)
    Ledger(engine).instances.enter(then)
    assert not stands(guard)


def last(act, others):
    """The first time as the others, and then another way."""
    acts = iter([others, act])

    def method(*given):
        next(acts)(*given)

    return method


def test_somebody_who_changes_the_mark_in_between_is_no_stranger(guard, engine, monkeypatch):
    guard.renew(NOW)
    looked = []
    read = InstanceGuard._instance

    def slowly(self):
        looked.append(1)
        if len(looked) == 2:  # the ledger was read, and the folder is not
            guard.renew(LATER)
        return read(self)

    with monkeypatch.context() as patch:
        patch.setattr(InstanceGuard, "_instance", slowly)
        assert guard.objection() is None
    assert len(looked) > 2

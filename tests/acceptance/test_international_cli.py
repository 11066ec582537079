"""`digest subscribers add` for an address beyond ASCII: it depends on the relay."""

import pytest

from tests.acceptance.conftest import Done, Person
from tests.integration.smtp_server import HOST, nobody_listens

JOSE = "jos\u00e9@example.org"


def add_over(newcomer: Person, relay: str, address: str = JOSE) -> Done:
    newcomer.settings["DIGEST_TRANSPORT"] = relay
    return newcomer.run("subscribers", "add", address, "--topic", "agents")


def test_a_relay_that_takes_it_lets_it_in(newcomer: Person, start_smtp) -> None:
    done = add_over(newcomer, start_smtp(smtputf8=True).url())
    assert (done.returncode, done.stdout) == (0, f"Added {JOSE}: agents\n")
    [listed] = newcomer.digest_json("subscribers", "list")
    assert listed["address"] == JOSE


def test_a_relay_that_does_not_take_it_keeps_it_out(newcomer: Person, start_smtp) -> None:
    done = add_over(newcomer, start_smtp().url())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"digest: {JOSE} cannot be reached from here: its part before the @ has letters other than "
        "a to z, which our mail server does not take\n"
    )
    assert newcomer.digest("subscribers", "list") == ""


def test_a_relay_that_is_down_keeps_it_out_and_is_named(newcomer: Person) -> None:
    with nobody_listens() as port:
        relay = f"smtp://{HOST}:{port}"
        done = add_over(newcomer, relay)
    assert (done.returncode, done.stdout) == (1, "")
    *before, last = done.stderr.splitlines()
    assert f"{relay}: " in "\n".join(before)
    assert last.startswith(f"digest: {JOSE} cannot be reached from here: ")
    assert newcomer.digest("subscribers", "list") == ""


@pytest.mark.parametrize("address", ["jose@example.org", "jose@b\u00fccher.example"])
def test_an_address_in_ascii_needs_no_relay(newcomer: Person, address: str) -> None:
    with nobody_listens() as port:
        assert add_over(newcomer, f"smtp://{HOST}:{port}", address).returncode == 0


def test_without_a_relay_it_is_let_in(newcomer: Person) -> None:
    assert (
        newcomer.digest("subscribers", "add", JOSE)
        == f"Added {JOSE}: no topics, only what is trending\n"
    )

"""Whether mail can come back (MX), and what an address is called (PTR). Pure."""

from collections.abc import Sequence

from digest.doctor.finding import Area, Finding

MX = Area("MX")
PTR = Area("PTR")


def judge_mx(domain: str, what_for: str, exchanges: Sequence[str], *, has_address: bool) -> Finding:
    """``has_address`` is whether a host that would be tried has one; without MX, the domain."""
    what_to_do = f"Publish an MX record at {domain} that names the host that takes its mail."
    if list(exchanges) == [""]:
        return MX.problem(
            f"{domain} says that it takes no mail (RFC 7505), and is where {what_for} go.",
            what_to_do,
        )
    if exchanges and not has_address:
        return MX.problem(
            f"{domain} names {exchanges[0]} for its mail, and that host has no address; "
            f"{what_for} go there.",
            what_to_do,
        )
    if exchanges:
        return MX.good(f"{domain}, where {what_for} go, has its mail taken by {exchanges[0]}.")
    if has_address:  # RFC 5321 section 5.1
        return MX.advice(
            f"{domain}, where {what_for} go, has no MX record: the host of that name is tried.",
            what_to_do,
        )
    return MX.problem(f"{domain} takes no mail, and is where {what_for} go.", what_to_do)


def judge_ptr(address: str, names: Sequence[str], confirmed: Sequence[str]) -> Finding:
    """``confirmed`` are those of the address's names that lead back to it."""
    if confirmed:
        return PTR.good(f"{address} is {confirmed[0]}, and that name leads back to it.")
    what_to_do = (
        f"Have whoever gave you {address} name it after your mail host, and that name lead to it."
    )
    if names:
        return PTR.problem(f"{address} is called {names[0]}, which does not lead back.", what_to_do)
    return PTR.problem(f"{address} has no name (PTR): many refuse mail from it.", what_to_do)


def judge_ptr_elsewhere() -> Finding:
    return PTR.unknown(
        "Which address your mail leaves from, and what it is called (PTR), cannot be seen here.",
        "It is for whoever runs the relay to see to; a mail's Received headers show it.",
    )

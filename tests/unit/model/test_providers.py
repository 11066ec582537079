"""Who takes the mail of a domain: by table, by what was looked up, by who owns an MX host."""

import pytest
from dns.exception import Timeout
from dns.resolver import NXDOMAIN, NoAnswer

from digest.deliver.transport.mx import mx_owners
from digest.model.providers import domain_of, owner_of, provider_of


@pytest.mark.parametrize(
    ("domain", "provider"),
    [
        ("gmail.com", "gmail.com"),
        ("googlemail.com", "gmail.com"),
        ("hotmail.co.uk", "outlook.com"),
        ("live.fr", "outlook.com"),
        ("yahoo.com.br", "yahoo.com"),
        ("aol.com", "yahoo.com"),
        ("web.de", "gmx.net"),
        ("example.org", "example.org"),
        ("live.example.org", "live.example.org"),
        ("yahoo.somebody.example", "yahoo.somebody.example"),
    ],
)
def test_domains_of_a_provider_are_one(domain, provider):
    assert provider_of(domain) == provider


def test_what_was_looked_up_counts_for_who_is_not_known():
    looked_up = {"uni.example": "gmail.com", "gmail.com": "elsewhere.example"}
    assert provider_of("uni.example", looked_up) == "gmail.com"
    assert provider_of("gmail.com", looked_up) == "gmail.com"
    assert provider_of("other.example", looked_up) == "other.example"


@pytest.mark.parametrize(
    ("host", "owner"),
    [
        ("aspmx.l.google.com.", "gmail.com"),
        ("ALT1.ASPMX.L.GOOGLE.COM.", "gmail.com"),
        ("uni-example.mail.protection.outlook.com.", "outlook.com"),
        ("uni-example.a-v1.mx.microsoft.", "outlook.com"),
        ("mta7.am0.yahoodns.net.", "yahoo.com"),
        ("mx00.emig.gmx.net.", "gmx.net"),
        ("mx1.hoster.example.", "hoster.example"),
        ("mx.hoster.co.uk.", "hoster.co.uk"),
        ("co.uk.", "co.uk"),
        ("localhost.", "localhost"),
        (".", ""),
    ],
)
def test_a_host_belongs_to_somebody(host, owner):
    assert owner_of(host) == owner


def test_the_domain_of_an_address():
    assert domain_of('"a@b"@Example.ORG') == "example.org"


class Answers:
    """A resolver that has the answers of a dict: preferences with hosts, or an error."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    def resolve(self, domain, kind):
        assert kind == "MX"
        self.asked.append(domain)
        answer = self.answers.get(domain.partition(".")[0], Timeout())
        if isinstance(answer, Exception):
            raise answer
        return [Record(preference, host) for preference, host in answer]


class Record:
    def __init__(self, preference, host):
        self.preference = preference
        self.exchange = self
        self._host = host

    def to_text(self):
        return self._host


def test_the_first_mx_host_says_who_it_is():
    resolver = Answers(
        uni=[(20, "backup.hoster.net."), (10, "aspmx.l.google.com.")],
        none=NoAnswer(),
        gone=NXDOMAIN(),
        null=[(0, ".")],
        slow=Timeout(),
    )
    names = ["uni.no", "none.no", "gone.no", "null.no", "slow.no"]
    assert mx_owners(names, resolver) == {
        "uni.no": "gmail.com",
        "none.no": "none.no",
        "gone.no": "gone.no",
        "null.no": "null.no",
        "slow.no": "slow.no",
    }


def test_where_the_dns_is_silent_it_is_not_asked_on_and_on():
    resolver = Answers()
    assert mx_owners([f"domain{n}.no" for n in range(500)], resolver) == {}
    assert len(resolver.asked) < 50


@pytest.mark.parametrize(
    "domain", ["example.org", "mail.example.com", "a.test", "localhost", "b.invalid"]
)
def test_reserved_names_are_not_asked_about(domain):
    resolver = Answers()
    assert mx_owners([domain], resolver) == {}
    assert resolver.asked == []

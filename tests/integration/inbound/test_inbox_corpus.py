"""How much of what real servers sent is understood; see README.md of the corpus."""

import json

import pytest

from digest.inbound.report import Kind
from digest.inbound.report_reader import read_report
from tests.bench.bench_bounces import flufl_set, measure, sisimai_set

# Reports of failures that are expected to name nobody, though they do name somebody.
NAMED_AFTER_ALL = {"groupwise_02.txt", "simple_43.txt"}

# Where the second set's reference is wrong, or means something else.
_FORWARDED = "it names where the mail was forwarded to, and not where we sent it"
OTHER_RECIPIENT = {
    "arf-19.eml": "a report of DMARC, by which nobody complains",
    "lhost-apachejames-01.eml": "the mail has twelve noughts, and the reference eleven",
    "lhost-domino-03.eml": "the mail says .org",
    "lhost-exim-03.eml": "X-Failed-Recipients says example.jp",
    "lhost-fml-03.eml": "a mailing list's note about a loop",
    "lhost-postfix-01.eml": _FORWARDED,
    "lhost-postfix-75.eml": "a server tells its postmaster of an error of its own",
    "lhost-postfix-77.eml": _FORWARDED,
    "lhost-postfix-79.eml": _FORWARDED,
    "lhost-v5sendmail-01.eml": "the address is cut off",
}
_UNKNOWN = "the server says that it does not know the user; the reference calls that a filter"
OTHER_VERDICT = {
    "lhost-exim-31.eml": "the notice says that it may not exist, or be blacklisted",
    "lhost-mailfoundry-01.eml": _UNKNOWN,
    "lhost-messagingserver-03.eml": _UNKNOWN,
    "lhost-mfilter-01.eml": _UNKNOWN,
    "lhost-mfilter-03.eml": _UNKNOWN,
    "lhost-mxlogic-03.eml": _UNKNOWN,
    "lhost-postfix-03.eml": _UNKNOWN,
    "lhost-postfix-05.eml": "450 4.1.1 is a temporary reply",
    "lhost-postfix-07.eml": _UNKNOWN,
    "lhost-receivingses-01.eml": _UNKNOWN,
    "lhost-sendmail-27.eml": _UNKNOWN,
    "lhost-surfcontrol-01.eml": _UNKNOWN,
    "lhost-trendmicro-03.eml": "the notice says nothing but that it failed",
    "lhost-x1-01.eml": _UNKNOWN,
    "lhost-x2-01.eml": _UNKNOWN,
    "lhost-zoho-03.eml": _UNKNOWN,
}
AS_EXPECTED = {
    "none": {"unknown", "auto-reply"},
    "either": {"hard", "soft"},
}


@pytest.fixture
def bounces(corpus):
    return corpus / "bounces"


def test_the_first_set_is_understood(bounces):
    figures = measure(flufl_set(bounces))
    assert figures.found.of == 100
    assert figures.found.share >= 0.98, figures.found.misses
    assert figures.alone.misses == []
    assert figures.quiet.of == 16
    assert {miss.partition(":")[0] for miss in figures.quiet.misses} <= NAMED_AFTER_ALL


def test_the_second_set_is_understood(bounces):
    figures = measure(sisimai_set(bounces))
    assert figures.found.of > 240
    assert figures.alone.share >= 0.97, figures.alone.misses
    assert figures.told.of > 240
    assert figures.quiet.of == 10
    assert figures.quiet.misses == []
    assert {miss.partition(":")[0] for miss in figures.found.misses} <= OTHER_RECIPIENT.keys()
    assert {miss.partition(":")[0] for miss in figures.told.misses} <= OTHER_VERDICT.keys()


def test_what_was_composed_is_read_as_expected(bounces):
    for line in (bounces / "composed_expected.jsonl").read_text("utf-8").splitlines():
        expected = json.loads(line)
        report = read_report((bounces / "composed" / expected["file"]).read_bytes())
        kinds = AS_EXPECTED.get(expected["kind"], {expected["kind"]})
        assert report.kind.value in kinds, expected["file"]
        if expected["recipient"]:
            found = [recipient.address for recipient in report.recipients]
            assert found == [expected["recipient"]], expected["file"]


def test_ordinary_mail_is_no_proof_against_anybody(bounces):
    files = sorted((bounces / "ordinary").glob("*.eml"))
    kinds = {file.stem: read_report(file.read_bytes()).kind for file in files}
    assert len(kinds) == 15
    assert not {Kind.HARD, Kind.COMPLAINT} & set(kinds.values())
    asked = {name for name, kind in kinds.items() if kind is Kind.UNSUBSCRIBE}
    assert asked == {"stop", "unsub-plain"}
    reports = {name for name, kind in kinds.items() if kind is Kind.AUTHENTICATION}
    assert reports == {"dmarc-agg", "tlsrpt"}

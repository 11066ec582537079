"""The API against its own description: whatever is sent, it answers as it says."""

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from subscribers.model import SuppressionReason
from subscribers.topics import parse_topics
from subscribers.web.api import api_app
from tests.integration.site import make_web
from tests.support import NOW, is_thorough

TOKEN = "a token for tests only, and long enough"
CONFIG = {
    "base-url": "https://digest.example.org/api/v1",
    "headers": {"Authorization": f"Bearer {TOKEN}"},
    # The same requests each time.
    "generation": {"deterministic": True, "max-examples": 25, "database": "none"},
    # To find all edges of the schema takes seconds, which every worker would spend.
    "phases": {"coverage": {"enabled": is_thorough()}},
    # What an address, a topic or a time of day is, a schema cannot say.
    "checks": {"positive_data_acceptance": {"enabled": False}},
    # Nor what a line of a file is: any text is taken, and told which lines could not be read.
    "operations": [
        {"include-path": "/import", "checks": {"negative_data_rejection": {"enabled": False}}}
    ],
}


@schemathesis.serializer("text/csv", "application/jsonl")
def as_octets(_, value):
    return value.encode() if isinstance(value, str) else repr(value).encode()


api = schemathesis.openapi.from_asgi(
    "/openapi.json", api_app(None, [TOKEN], "/"), config=schemathesis.Config.from_dict(CONFIG)
)


@pytest.fixture
def site(ledger, registry):
    """The API, with some people behind it: a reader, one who has left, and one with a block."""
    for name in ("ada", "bob", "eve"):
        registry.add(f"{name}@example.org", parse_topics(["robots"]), source="test", now=NOW)
    registry.withdraw(registry.everybody()[1].public_id, source="test", now=NOW)
    registry.suppressions.add("eve@example.org", SuppressionReason.COMPLAINT, now=NOW)
    return make_web(ledger, registry, api_tokens=(TOKEN,))


@api.parametrize()
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # one site for all requests
def test_the_api_is_as_it_is_described(case, site):
    case.call_and_validate(app=site)

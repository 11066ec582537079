"""Who may ask the studio, and what holds for each of its answers."""

import base64

import pytest
from fastapi import APIRouter, Request
from structlog.testing import capture_logs

from digest.errors import LedgerError, SettingError
from digest.studio.access import HEADERS, require_password
from digest.studio.render import Pages
from digest.studio.web import LARGEST_FORM, studio_app
from tests.integration.studio_client import HERE, Client

PATHS = ("/", "/studio.css", "/studio.js", "/studio.svg", "/nothing", "/fails", "/breaks")


@pytest.fixture(autouse=True)
def _logs():
    """A fault is logged with all that was around it, which takes long to be written."""
    with capture_logs():
        yield


def make_client(host="127.0.0.1", password=None):
    router = APIRouter()

    @router.get("/")
    def front():
        return "the front"

    @router.post("/do")
    async def do():
        return "done"

    @router.post("/read")
    async def read(request: Request):
        return len(await request.body())

    @router.get("/fails")
    def fails():
        raise LedgerError("the database is at another place")

    @router.get("/breaks")
    def breaks():
        raise RuntimeError("with a secret in it")

    app = studio_app([router], Pages("Paper Digest"), host=host, password=password)
    return Client(app)


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_strict_with_the_browser(path):
    for client in (make_client(), make_client(password="open sesame")):
        answer = client.get(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy


def test_a_fault_says_nothing_of_itself():
    answer = make_client().get("/breaks")
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_what_goes_wrong_on_purpose_is_one_clear_line():
    answer = make_client().get("/fails")
    assert answer.status_code == 503
    assert "the database is at another place" in answer.text


# ---- the password ----------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1", "[::1]"])
def test_this_machine_needs_no_password(host):
    require_password(host, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.7", "studio.example.org"])
def test_other_machines_need_a_password(host):
    with pytest.raises(SettingError, match="DIGEST_STUDIO_PASSWORD"):
        require_password(host, None)
    require_password(host, "open sesame")


@pytest.mark.parametrize("path", PATHS)
def test_the_password_is_asked_for_everywhere(path):
    client = make_client(password="öffne dich: Sesam")
    refused = client.get(path)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic ")
    for user in ("", "ada"):
        headers = {"Authorization": basic(user, "öffne dich: Sesam")}
        assert client.get(path, headers=headers).status_code != 401


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Basic",
        "Basic !",
        "Basic ====",
        "Bearer b3BlbiBzZXNhbWU=",
        basic("ada", ""),
        basic("ada", "open sesam"),
        basic("ada", "open sesame "),
        basic("open sesame", ""),
        basic("ada", "open sesame").replace("Basic", "Digest"),
    ],
)
def test_no_other_password_will_do(given):
    client = make_client(password="open sesame")
    assert client.get("/", headers={"Authorization": given}).status_code == 401


# ---- other sites in the operator's browser -----------------------------------------------------


@pytest.mark.parametrize(
    "name", ["127.0.0.1:8001", "localhost:8001", "LOCALHOST", "[::1]:8001", "192.0.2.7:8001"]
)
def test_it_goes_by_the_names_of_this_machine_and_the_one_it_listens_on(name):
    client = make_client("192.0.2.7", "open sesame")
    headers = {"Host": name, "Authorization": basic("", "open sesame")}
    assert client.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "name",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "[", "a@b", "0.0.0.0"],
)
def test_it_goes_by_no_other_name(name):
    assert make_client().get("/", headers={"Host": name}).status_code == 421


def test_on_all_addresses_the_password_is_what_protects():
    client = make_client("0.0.0.0", "open sesame")
    headers = {"Host": "digest.example.org:8001"}
    assert client.get("/", headers=headers).status_code == 401
    headers["Authorization"] = basic("", "open sesame")
    assert client.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "said",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": HERE},
        {"Sec-Fetch-Site": "what-comes-next"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:8000"},
        {"Origin": "null"},
        {"Origin": ""},
    ],
)
def test_a_form_of_another_site_does_nothing(said):
    assert make_client().post("/do", headers=said).status_code == 403


@pytest.mark.parametrize(
    "said",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": HERE},
        {"Sec-Fetch-Site": "none"},
        {"Origin": HERE},
        {},
    ],
)
def test_a_form_of_its_own_does_what_it_says(said):
    assert make_client().post("/do", headers=said).text == '"done"'


def test_a_form_has_an_end():
    client = make_client()
    assert client.post("/read", content=b"x" * LARGEST_FORM).status_code == 200
    assert client.post("/read", content=b"x" * (LARGEST_FORM + 1)).status_code == 413

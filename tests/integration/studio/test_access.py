"""Who may ask the studio, and what holds for each of its answers."""

from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from fastapi import APIRouter, Request
from structlog.testing import capture_logs

from digest.errors import LedgerError, SettingError
from digest.studio.access import HEADERS, require_password
from digest.studio.login import (
    LASTS,
    MOST_WRONG,
    MOST_WRONG_OF_ALL,
    WINDOW,
    Attempts,
    Sessions,
    login_routes,
)
from digest.studio.render import Pages
from digest.studio.web import LARGEST_FORM, studio_app
from tests.integration.studio_client import HERE, Client
from tests.support import NOW

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


def log_in(client, name="ada", password="open sesame", **more):
    return client.post("/login", data={"name": name, "password": password, **more})


def cookie_of(answer):
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


@pytest.mark.parametrize("path", ["/", "/nothing", "/fails", "/studio.js?a=1"])
def test_without_a_session_every_page_leads_to_the_login(path):
    client = make_client(password="öffne dich: Sesam")
    refused = client.get(path)
    assert refused.status_code == 303
    assert refused.headers["location"] == f"/login?to={quote(path)}"
    assert client.post("/do").status_code == 401
    assert client.post("/logout").status_code == 401
    assert client.get("/login").status_code == 200
    assert client.get("/studio.css").status_code == 200


def test_the_password_begins_a_session_and_logging_out_ends_it():
    client = make_client(password="öffne dich: Sesam")
    answer = log_in(client, password="öffne dich: Sesam", to="/nothing?a=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/nothing?a=1")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie, "http on this machine"
    assert client.get("/", headers=cookie_of(answer)).text == '"the front"'
    assert client.post("/do", headers=cookie_of(answer)).text == '"done"'
    other = log_in(client, password="öffne dich: Sesam")
    left = client.post("/logout", headers=cookie_of(answer))
    assert (left.status_code, left.headers["location"]) == (303, "/login")
    assert "Max-Age=0" in left.headers["set-cookie"]
    assert client.get("/", headers=cookie_of(answer)).status_code == 303, "a copy of the cookie"
    assert client.post("/do", headers=cookie_of(answer)).status_code == 401
    assert client.get("/", headers=cookie_of(other)).status_code == 200, "another session"


def test_a_session_ends_by_itself_and_with_the_process():
    client = make_client(password="open sesame")
    with time_machine.travel(NOW, tick=False):
        session = cookie_of(log_in(client))
    with time_machine.travel(NOW + timedelta(seconds=LASTS - 1), tick=False):
        assert client.get("/", headers=session).status_code == 200
        assert make_client(password="open sesame").get("/", headers=session).status_code == 303
    with time_machine.travel(NOW + timedelta(seconds=LASTS + 2), tick=False):
        assert client.get("/", headers=session).status_code == 303


@pytest.mark.parametrize("cookie", ["", "x", "studio=", "studio=ada", "studio=ImFkYSI.aaaa.bbbb"])
def test_no_other_cookie_will_do(cookie):
    client = make_client(password="open sesame")
    assert client.get("/", headers={"Cookie": cookie}).status_code == 303


@pytest.mark.parametrize("password", ["", "open sesam", "open sesame ", "OPEN SESAME", "\ud800"])
def test_no_other_password_will_do(password):
    answer = log_in(make_client(password="open sesame"), password=password.encode(errors="ignore"))
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("name", ["", "  ", "\n\t", "\u200b"])
def test_the_right_password_without_a_name_is_not_enough(name):
    """It is noted who does what."""
    answer = log_in(make_client(password="open sesame"), name)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_nobody_tries_many_passwords():
    now = [0.0]
    sessions, pages = Sessions("open sesame"), Pages("Paper Digest")
    routes = login_routes(sessions, pages, "", Attempts(lambda: now[0]))
    client = Client(studio_app([routes], pages, host="127.0.0.1", password=None))
    for number in range(MOST_WRONG):
        assert log_in(client, password=str(number)).status_code == 403
    assert log_in(client).status_code == 429, "the right one too"
    now[0] += WINDOW + 1
    assert log_in(client).status_code == 303


def test_the_wrong_passwords_of_one_client_keep_no_other_out():
    attempts = Attempts(lambda: 0.0)
    for _ in range(MOST_WRONG):
        attempts.note("192.0.2.1")
    assert not attempts.may_try("192.0.2.1")
    assert attempts.may_try("192.0.2.2")
    for number in range(MOST_WRONG_OF_ALL - MOST_WRONG):
        attempts.note(f"client {number}")
    assert not attempts.may_try("192.0.2.2"), "many clients are one attacker"


def test_who_logs_in_gets_a_session_that_nobody_had_before():
    """A cookie that somebody put into the browser before (session fixation) is not taken over."""
    client, other = make_client(password="open sesame"), make_client(password="open sesame")
    planted = cookie_of(log_in(other))
    answer = client.post("/login", data={"name": "ada", "password": "open sesame"}, headers=planted)
    assert cookie_of(answer) != planted
    assert client.get("/", headers=planted).status_code == 303
    assert client.get("/", headers=cookie_of(answer)).status_code == 200


def test_the_cookie_goes_over_https_alone_where_there_is_https():
    client = make_client(password="open sesame")
    form = {"name": "ada", "password": "open sesame"}
    secure = client.post("https://127.0.0.1:8001/login", data=form).headers["set-cookie"]
    attributes = set(secure.split("; ")[1:])
    assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={LASTS}"} <= attributes


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil", "/a\nb", ""])
def test_the_login_leads_nowhere_else(to):
    assert log_in(make_client(password="open sesame"), to=to).headers["location"] == "/"


def test_it_is_logged_who_did_what():
    client = make_client(password="open sesame")
    session = cookie_of(log_in(client, "Ada L.\r\n"))
    with capture_logs() as logs:
        client.get("/", headers=session)
        client.post("/do", headers=session)
    (told,) = [line for line in logs if line["event"] == "the studio was used"]
    assert (told["who"], told["method"], told["path"]) == ("Ada L.", "POST", "/do")


# ---- other sites in the operator's browser -----------------------------------------------------


@pytest.mark.parametrize(
    "name", ["127.0.0.1:8001", "localhost:8001", "LOCALHOST", "[::1]:8001", "192.0.2.7:8001"]
)
def test_it_goes_by_the_names_of_this_machine_and_the_one_it_listens_on(name):
    client = make_client("192.0.2.7", "open sesame")
    headers = {"Host": name, **cookie_of(log_in(client))}
    assert client.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "name",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "[", "a@b", "0.0.0.0"],
)
def test_it_goes_by_no_other_name(name):
    assert make_client().get("/", headers={"Host": name}).status_code == 421


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
def test_under_any_name_the_password_is_what_protects(host):
    client = make_client(host, "open sesame")
    headers = {"Host": "digest.example.org:8001"}
    assert client.get("/", headers=headers).status_code == 303
    headers |= cookie_of(log_in(client))
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

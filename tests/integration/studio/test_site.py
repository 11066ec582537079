"""The pages that readers see, in the studio: all of them, in any language, and nothing is sent."""

import os
import subprocess
import sys
from urllib.parse import urlencode

import lxml.html
import pytest

from digest.app.app import App
from digest.app.studio import studio
from digest.compose.environment import Templates, built_in_templates
from digest.compose.language import codes
from digest.compose.pseudo import ACCENTED, BEGIN, MIRRORED, PSEUDO
from digest.studio.site_routes import POLICY
from digest.studio.site_samples import PAGES
from tests.integration.studio.test_access import cookie_of, log_in
from tests.integration.studio.test_studio import (
    copy_templates,
    edit,
    open_studio,  # noqa: F401  a fixture
    opening_studios,
    own,  # noqa: F401  likewise
    page_of,
)
from tests.integration.studio_client import Client
from tests.support import SENDING

NAMES = [name for pages in PAGES.values() for name in pages]
PASSWORD = "open sesame"
LOOK_ONCE = f"""
import sys, tempfile
from pathlib import Path
from digest.app.app import App
from digest.app.studio import studio
from tests.integration.studio_client import Client

made = Path(tempfile.gettempdir())
client = Client(studio(App({{}}, None, home=sys.argv[1], **{SENDING})))
for path in ("/pages", "/page?page=home"):
    assert client.get(path).status_code == 200
    print(len([*made.glob("paper-digest-pages-*")]))
"""
RIGHT_TO_LEFT = {"ar", MIRRORED}


@pytest.fixture(scope="module")
def client(tmp_path_factory, new_sqlite):
    """A studio for tests that only look: the sample data take a second to be made."""
    folder = tmp_path_factory.mktemp("studio")
    copy_templates(folder)
    with opening_studios(folder, new_sqlite) as start:
        yield start(from_name="The Weekly Ada")


def shown(client, page, language="", **more):
    return client.get(f"/page?{urlencode({'page': page, 'language': language, **more})}")


def seldom(code):
    return pytest.param(code, marks=pytest.mark.long, id=code)


@pytest.mark.parametrize("code", ["de", MIRRORED, *map(seldom, {*codes(), ACCENTED} - {"de"})])
def test_every_page_is_shown_in_every_language(client, code):
    direction = "rtl" if code in RIGHT_TO_LEFT else "ltr"
    for name in NAMES:
        answer = shown(client, name, code)
        assert answer.status_code == 200
        if name == "feed":
            assert f'xml:lang="{code}"' in answer.text
            continue
        page = lxml.html.document_fromstring(answer.text)
        assert (page.get("lang"), page.get("dir")) == (code, direction), name
        heading = page.findtext(".//h1")
        assert (BEGIN in answer.text) == (code in PSEUDO), name
        assert heading.strip()


def test_every_template_of_a_page_is_shown(client, monkeypatch):
    filled = set()
    render = Templates.render

    def noting(templates, name, **values):
        filled.add(name)
        return render(templates, name, **values)

    monkeypatch.setattr(Templates, "render", noting)
    for name in NAMES:
        shown(client, name)
    folder = built_in_templates()
    there = {file.relative_to(folder).as_posix() for file in (folder / "pages").glob("*.html.j2")}
    no_pages = {"pages/base.html.j2", "pages/embed.html.j2"}  # the second is for other sites
    assert there - filled == no_pages


def test_what_is_not_known_is_refused_or_the_usual(client):
    assert shown(client, "nothing").status_code == 404
    page = lxml.html.document_fromstring(shown(client, "home", "xx").text)
    assert page.get("lang") == "en"
    chosen = page_of(client.get("/pages?page=nothing&language=%22%3E"))
    assert chosen.xpath("//select[@id='page']//option[@selected]/text()") == ["home"]
    assert chosen.xpath("//select[@id='language']//option[@selected]/@value") == ["en"]


def test_the_page_to_choose_has_both_screens(client):
    page = page_of(client.get(f"/pages?{urlencode({'page': 'left', 'language': MIRRORED})}"))
    phone, desk = page.xpath("//iframe")
    assert phone.get("sandbox") == desk.get("sandbox") == "allow-same-origin"
    answer = client.get(phone.get("src"))
    assert lxml.html.document_fromstring(answer.text).get("dir") == "rtl"
    listed = page.xpath("//select[@id='language']/option/@value")
    assert {*listed} == {*codes(), *PSEUDO}


def test_it_is_the_operators_site(client):
    text = shown(client, "home").text
    assert "The Weekly Ada" in text
    assert SENDING["postal_address"] in text


def test_a_link_leads_to_the_next_page(client):
    page = lxml.html.document_fromstring(shown(client, "preferences", "de").text)
    links = [link for link in page.xpath("//a/@href") if link.startswith("/")]
    assert links
    for link in links:
        assert link.startswith("/site/"), link
        answer = client.get(link)
        assert answer.status_code in {200, 303, 307}, link
        assert answer.headers["content-security-policy"] == POLICY
    style = client.get(page.xpath("//link[@rel='stylesheet']/@href")[0])
    assert style.headers["content-type"].startswith("text/css")


def test_nothing_is_sent_from_a_page(client):
    """Whatever form of a page somebody sends by hand, nobody is changed, and nothing is mailed."""
    before = client.app.registry.files_after(0, 10)
    assert "allow-forms" not in POLICY
    assert "form-action 'none'" in POLICY
    for name in ("home", "preview", "confirm", "preferences", "opinion", "leave", "left", "delete"):
        answer = shown(client, name)
        assert answer.headers["content-security-policy"] == POLICY
        page = lxml.html.document_fromstring(answer.content)
        for form in page.xpath("//form[@method='post']"):
            to = form.get("action", "/page")
            refused = client.post(to, data=dict(form.form_values()))
            assert refused.status_code == 405, (name, to)
    for path in ("/page", "/pages"):
        assert client.post(f"{path}?page=left").status_code == 405
    for method in ("PUT", "DELETE", "OPTIONS"):
        assert client.ask(method, "/site/").status_code == 405
    assert client.app.registry.files_after(0, 10) == before


def test_one_page_changes_no_other(client):
    assert "unsubscribed" in shown(client, "left").text
    first, second = (shown(client, "preferences").text for _ in range(2))
    assert "reader" in first
    assert shown(client, "left").status_code == 200
    assert len(first) == pytest.approx(len(second), abs=50)


def test_looking_for_long_meets_no_limit(client):
    for _ in range(15):
        page = lxml.html.document_fromstring(shown(client, "check your inbox").text)
        assert "inbox" in page.findtext(".//h1")


def test_pages_follow_the_templates(open_studio, own):  # noqa: F811
    client = open_studio()
    assert "Ahoy" not in shown(client, "archive").text
    edit(own / "pages" / "archive.html.j2", '<h1>{{ _("Archive") }}', "<h1>Ahoy")
    assert "Ahoy" in shown(client, "archive").text
    edit(own / "pages" / "archive.html.j2", "<h1>Ahoy", "<h1>{{ nonsense }}")
    said = shown(client, "archive").text
    assert "pages/archive.html.j2" in said
    assert "there is nothing called nonsense" in said


@pytest.fixture
def locked(tmp_path):
    """A studio with a login."""
    app = App({}, None, home=str(tmp_path), studio_password=PASSWORD, **SENDING)
    yield Client(studio(app))
    app.engine.dispose()


@pytest.mark.long
def test_the_sample_data_are_made_when_they_are_asked_for_and_removed_in_the_end(tmp_path):
    """In a process of its own, because they are kept until it ends."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK_ONCE, tmp_path / "home"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["0", "1"]
    assert [file.name for file in tmp_path.iterdir()] == ["home"]


@pytest.mark.parametrize("path", ["/pages", "/page?page=home", "/site/", "/site/style.css"])
def test_they_are_behind_the_login(locked, path):
    assert locked.get(path).status_code == 303
    assert locked.post(path).status_code == 401
    assert locked.post(path, headers={"Origin": "https://evil.example"}).status_code == 403
    assert locked.get(path, headers=cookie_of(log_in(locked))).status_code == 200


def test_pseudo_languages_are_for_the_studio_only(client):
    assert BEGIN in shown(client, "home", ACCENTED).text
    assert {*PSEUDO}.isdisjoint(client.app.templates.languages.codes)

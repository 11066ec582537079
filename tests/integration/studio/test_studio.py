"""The page of the templates: a mail as its readers get it, its faults, and a test by mail."""

import email
import email.policy
import html
import re
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import lxml.html
import pytest

from digest.app.app import App
from digest.app.studio import studio
from digest.cli.demo import NOW
from digest.collect.sample_edition import SAMPLE_EDITION
from digest.compose.environment import built_in_templates
from digest.studio.preview_request import EDITION, Tab, View
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from tests.integration.smtp_server import Point, nobody_listens
from tests.integration.studio_client import HERE, Client
from tests.support import SENDING

CARD = "mail/partials/card.mjml.j2"
WAYS = "mail/partials/ways.mjml.j2"
WRONG = "{{ card.nonsense }}"


@pytest.fixture
def own(tmp_path):
    """A folder with all templates, for an operator to change."""
    return copy_templates(tmp_path)


def copy_templates(folder):
    return shutil.copytree(built_in_templates(), folder / "templates")


@contextmanager
def opening_studios(folder, new_sqlite):
    """Opens the studio over an own folder, with settings by name; ``.app`` is what it stands on."""
    opened = []
    (folder / "var").mkdir()
    shutil.copy(new_sqlite, folder / "var" / "digest.sqlite3")
    own = {"home": str(folder / "var"), "templates": str(folder / "templates")}

    def start(**settings):
        settings = {**own, **SENDING, **settings}
        app = App({}, None, **{name: value for name, value in settings.items() if value})
        opened.append(app)
        client = Client(studio(app))
        client.app = app
        return client

    yield start
    for app in opened:
        app.engine.dispose()


@pytest.fixture
def open_studio(tmp_path, own, new_sqlite):
    with opening_studios(tmp_path, new_sqlite) as start:
        yield start


@pytest.fixture
def client(open_studio):
    return open_studio()


@pytest.fixture(scope="module")
def shared_client(tmp_path_factory, new_sqlite):
    """For tests that only look; nothing is collected."""
    folder = tmp_path_factory.mktemp("studio")
    copy_templates(folder)
    with opening_studios(folder, new_sqlite) as start:
        client = start()
        client.own = folder / "templates"
        yield client


@pytest.fixture(scope="module")
def shared_edition(tmp_path_factory, new_sqlite):
    """The same, with papers and a reader."""
    folder = tmp_path_factory.mktemp("edition")
    copy_templates(folder)
    with opening_studios(folder, new_sqlite) as start:
        yield collect_into(start())


def page_of(answer):
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = lxml.html.document_fromstring(answer.text)
    for address in page.xpath("//@src | //@href | //@action"):
        assert re.match(r"/(?!/)|#", address), address
    assert not page.xpath("//script[text()] | //style | //@style | //@*[starts-with(name(), 'on')]")
    for field in page.xpath("//select | //meter | //input[not(@type='hidden')]"):
        named = page.xpath(
            f"//label[@for='{field.get('id')}'] | //label[.//*[@id='{field.get('id')}']]"
        )
        assert named, "a field without a label"
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    return page


def shown(client, **query):
    return page_of(client.get(f"/?{urlencode(query)}"))


def pictures(client, page):
    return [client.get(address) for address in page.xpath("//iframe/@src")]


def text_of(page, where):
    return " ".join(page.xpath(where)[0].text_content().split())


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


# ---- looking ---------------------------------------------------------------------------------


def test_a_newcomer_sees_a_sample_at_once(client):
    page = shown(client)
    assert page.xpath("//select[@id='sample']//option[@selected]/@value") == ["full"]
    assert page.xpath("//optgroup/@label")[0] == "digest"
    assert re.search(r"Rendered in \d+ ms, \d+ error", text_of(page, "//div[@id='status']"))
    phone, desktop = pictures(client, page)
    assert "Folding Laundry" in phone.text
    assert phone.text == desktop.text
    assert "sandbox" in phone.headers["content-security-policy"]
    assert page.xpath("//iframe/@sandbox") == ["allow-same-origin"] * 2


@pytest.mark.parametrize("sample", ["hostile", "welcome", "operator-alert"])
def test_every_tab_shows_every_kind_of_mail(shared_client, sample):
    for tab in Tab:
        page = shown(shared_client, sample=sample, tab=tab.value)
        current = page.xpath("//nav[@class='tabs']/a[@aria-current]/@id")
        assert current == [f"tab-{tab.value}"]
        assert len(page.xpath("//*[@id='stage']/*")) > 0, tab


@pytest.mark.parametrize(("view", "count"), [("phone", 1), ("desktop", 1), ("both", 2), ("all", 4)])
def test_it_shows_the_screens_that_are_wanted(shared_client, view, count):
    assert len(shown(shared_client, view=view).xpath("//iframe")) == count


def test_all_four_pictures_are_of_both_schemes(shared_client):
    addresses = shown(shared_client, view=View.ALL.value).xpath("//iframe/@src")
    schemes = [parse_qs(urlsplit(address).query)["scheme"][0] for address in addresses]
    assert schemes == ["light", "dark", "light", "dark"]


@pytest.mark.parametrize(
    ("code", "direction", "said"),
    [("ar", "rtl", "رائجة"), ("en-XA", "ltr", "\N{MATHEMATICAL LEFT WHITE SQUARE BRACKET}Ŕéáđ"), ("ar-XB", "rtl", "\N{RIGHT-TO-LEFT OVERRIDE}")],
)  # fmt: skip
def test_a_mail_is_shown_in_any_language_and_in_two_that_nobody_speaks(
    shared_client, code, direction, said
):
    page = shown(shared_client, sample="full", language=code)
    assert page.xpath("//select[@id='language']//option[@selected]/@value") == [code]
    assert "Deutsch" in page.xpath("//select[@id='language']/option/text()")
    picture, *_ = pictures(shared_client, page)
    mail = lxml.html.document_fromstring(picture.text)
    assert (mail.get("lang"), mail.get("dir")) == (code, direction)
    assert said in mail.text_content()
    # The sample beside it is in the same language.
    assert f"language={code}" in page.xpath("//a[@id='go-n']/@href")[0]


def test_a_reader_without_images_sees_none(shared_client):
    for images, sources in (("on", "img-src https: data:;"), ("off", "img-src 'none';")):
        (picture,) = pictures(shared_client, shown(shared_client, view="phone", images=images))
        policy = picture.headers["content-security-policy"]
        assert sources in policy
        assert "default-src 'none'" in policy
        assert "script-src" not in policy


def test_what_is_not_known_is_as_usual(shared_client):
    page = shown(
        shared_client, sample="no such", view="x", scheme="y", tab="z", day="never", images="?",
        language="tlh",
    )  # fmt: skip
    assert "Rendered in" in text_of(page, "//div[@id='status']")
    assert page.xpath("//select[@id='sample']//option[@selected]/@value") == ["full"]
    assert len(page.xpath("//iframe")) == 2


def test_the_source_of_a_hostile_paper_is_only_text(shared_client):
    page = shown(shared_client, sample="hostile", tab="html")
    assert not page.xpath("//*[@id='stage']//script | //*[@id='stage']//img")


def test_the_mjml_says_which_line_of_a_template_it_is_of(shared_client):
    page = shown(shared_client, tab="mjml")
    lines = (shared_client.own / CARD).read_text().split("\n")
    number = next(n for n, line in enumerate(lines, 1) if 'class="leads"' in line)
    (line, *_) = page.xpath(f"//li[contains(span, '{CARD}:{number}')]/code")
    assert line.text.strip() == lines[number - 1].strip()


def test_the_headers_are_those_of_the_message(shared_client):
    page = shown(shared_client, tab="headers")
    head = page.xpath("//pre")[0].text
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in head
    message = shared_client.get(page.xpath("//a[@download]/@href")[0])
    assert message.headers["content-type"] == "message/rfc822"
    assert message.content.decode().replace("\r\n", "\n").startswith(head.strip())


def test_the_meters_tell_how_much_of_what_is_allowed_is_used(shared_client):
    page = shown(shared_client)
    (size, *_) = page.xpath("//meter/@value")
    (picture, *_) = pictures(shared_client, page)
    assert 0.9 < int(size) / len(picture.content) < 1.1
    assert page.xpath("//meter/@low") == ["90000"] * 2
    assert page.xpath("//meter/@high") == ["100000"] * 2


def test_the_pages_beside_are_reached(shared_client):
    for address in page_of(shared_client.get("/")).xpath("//nav[@aria-label='Studio']/a/@href"):
        assert shared_client.get(address).status_code == 200


# ---- editing ---------------------------------------------------------------------------------


def test_an_edited_template_is_a_new_picture_at_a_new_address(client, own):
    before = shown(client)
    edit(own / WAYS, "More like this", "Rather more of it")
    after = shown(client)
    assert before.xpath("//iframe/@src") != after.xpath("//iframe/@src")
    assert "Rather more of it" in pictures(client, after)[0].text


def test_a_template_that_was_only_touched_is_the_same_picture(client, own):
    before = shown(client)
    (own / CARD).write_text((own / CARD).read_text())
    after = shown(client)
    assert before.xpath("//*[@id='stage']/@data-stamp") != after.xpath(
        "//*[@id='stage']/@data-stamp"
    )
    assert before.xpath("//iframe/@src") == after.xpath("//iframe/@src")


def test_a_translation_that_is_edited_is_seen(open_studio, own):
    client = open_studio(language="de")
    (own / "locales").mkdir()
    (own / "locales" / "de.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        'msgid "More like this"\nmsgstr "Davon bitte mehr"\n'
    )
    assert "Davon bitte mehr" in pictures(client, shown(client))[0].text
    (own / "locales" / "de.po").write_text('msgid "%(count)s days"\nmsgstr "%(cuont)s Tage"\n')
    page = shown(client)
    assert "locales/de.po" in text_of(page, "//section[@class='problem']/h2")


def test_a_fault_shows_its_place_and_the_last_good_picture_stays(client, own):
    good = pictures(client, shown(client))[0].text
    lines = (own / CARD).read_text().split("\n")
    lines[6:6] = [WRONG]
    (own / CARD).write_text("\n".join(lines))
    page = shown(client)
    assert text_of(page, "//section[@class='problem']/h2") == f"{CARD}, line 7"
    assert "nonsense" in text_of(page, "//p[@class='what']")
    assert page.xpath("//ol[contains(@class, 'excerpt')]/li/@value") == [
        str(n) for n in range(2, 13)
    ]
    assert [code.text for code in page.xpath("//li[@class='marked']/code")] == [WRONG]
    assert str(own / CARD) in text_of(page, "//section[@class='problem']")
    assert "This email cannot be rendered." in text_of(page, "//div[@id='status']")
    assert "Last good picture" in text_of(page, "//div[@id='stage']")
    assert page.xpath("//div[contains(@class, 'stale')]//iframe")
    assert pictures(client, page)[0].text == good
    del lines[6]
    (own / CARD).write_text("\n".join(lines))
    page = shown(client)
    assert not page.xpath("//section[@class='problem'] | //div[contains(@class, 'stale')]")


def test_a_fault_from_the_beginning_leaves_nothing_to_show(client, own):
    (own / CARD).write_text("{% if %}")
    for tab in Tab:
        page = shown(client, tab=tab.value)
        assert text_of(page, "//section[@class='problem']/h2") == f"{CARD}, line 1"
        assert not page.xpath("//iframe"), tab
    assert client.get("/picture?sample=full").status_code == 404
    assert client.get("/message.eml?sample=full").status_code == 404


def test_a_broken_sample_names_its_file(client, own):
    (own / "samples" / "full.json").write_text("{")
    page = shown(client)
    assert text_of(page, "//section[@class='problem']/h2").startswith("samples/full.json")


def test_the_findings_of_the_checks_have_places(client, own):
    edit(own / CARD, "<h3", '<img src="http://example.org/x.png"><h3')
    page = shown(client, tab="checks")
    findings = page.xpath("//ul[@class='findings']/li")
    assert findings
    assert any(CARD in finding.text_content() for finding in findings)
    assert page.xpath("//ul[@class='findings']//li[@class='marked']")


# ---- what changed ----------------------------------------------------------------------------


def git(folder, *words):
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def committed(own):
    if shutil.which("git") is None:
        pytest.skip("no git on this machine")
    (own.parent / ".gitignore").write_text("var/\n")
    for words in (["init"], ["add", "."], ["commit", "-m", "All <is> well"]):
        git(own.parent, *words)
    return own


def test_changes_are_against_the_last_commit(client, committed):
    assert "no changes" in text_of(shown(client, tab="changes"), "//div[@id='stage']")
    edit(committed / WAYS, "More like this", "Much &amp; more")
    (committed / "mail" / "new.txt.j2").write_text("new\n")
    (committed / "mail" / "welcome" / "body.txt.j2").unlink()
    page = shown(client, tab="changes")
    assert "the last commit (" in text_of(page, "//div[@id='stage']/p")
    assert "All <is> well" in text_of(page, "//div[@id='stage']/p")
    files = {section.xpath("h2")[0].text.strip(): section for section in page.xpath("//section")}
    assert list(files) == ["mail/new.txt.j2", WAYS, "mail/welcome/body.txt.j2"]
    tags = [text_of(section, "h2/span[@class='tag']") for section in files.values()]
    assert tags == ["new", "changed", "removed"]
    assert "−1 +1" in text_of(files[WAYS], "h2")
    (gone,) = files[WAYS].xpath(".//tr[@class='gone']")
    (added,) = files[WAYS].xpath(".//tr[@class='added']")
    assert "More like this" in gone.text_content()
    assert "Much &amp; more" in added.text_content()
    before, now = pictures(client, page)
    assert "More like this" in before.text
    assert "Much &amp; more" in now.text


def test_what_was_committed_may_be_broken_itself(client, committed):
    good = (committed / CARD).read_text()
    (committed / CARD).write_text(WRONG)
    git(committed, "commit", "-am", "Broken")
    (committed / CARD).write_text(good)
    before, now = pictures(client, shown(client, tab="changes"))
    assert "a card has no nonsense" in before.text
    assert "frame-ancestors 'self'" in before.headers["content-security-policy"]
    assert "Folding Laundry" in now.text


def test_without_git_changes_are_against_what_comes_with_the_program(client, own):
    edit(own / WAYS, "More like this", "Much more")
    (own / "mail" / "welcome" / "body.txt.j2").unlink()  # taken from the built-in set
    page = shown(client, tab="changes")
    assert "built-in templates" in text_of(page, "//div[@id='stage']/p")
    assert [section.xpath("h2")[0].text.strip() for section in page.xpath("//section")] == [WAYS]
    before, _ = pictures(client, page)
    assert "More like this" in before.text


# ---- editions --------------------------------------------------------------------------------


def collect_into(client):
    app = client.app
    app.collector.collect_files([SAMPLE_EDITION], None, NOW)
    app.registry.add("ada@example.org", parse_topics(["video generation"]), source="test", now=NOW)
    return client


def test_an_edition_can_be_shown_for_typed_topics(shared_edition):
    page = shown(shared_edition, sample=EDITION, topics="video generation; world models")
    (picture, *_) = pictures(shared_edition, page)
    assert "video generation" in picture.text
    assert "world models" in picture.text


def test_an_edition_can_be_shown_for_a_subscriber(shared_edition):
    day = NOW.date().isoformat()
    page = shown(shared_edition, sample=EDITION, day=day, reader="Ada@example.org")
    (picture, *_) = pictures(shared_edition, page)
    assert "video generation" in picture.text
    assert 'lang="en"' in picture.text
    # Whoever tries the links in a test leaves in nobody's place.
    (ada,) = shared_edition.app.registry.everybody()
    tokens = shared_edition.app.identity.tokens
    links = re.findall(r"/unsubscribe/([^\"/\s]+)", html.unescape(picture.text))
    assert links
    assert ada.public_id not in {tokens.read(Purpose.UNSUBSCRIBE, link) for link in links}


@pytest.mark.parametrize(("language", "lang"), [("", "de"), ("en", "en"), ("ar-XB", "ar-XB")])
def test_an_edition_is_shown_in_its_readers_language_if_no_other_is_chosen(
    shared_edition, language, lang
):
    registry = shared_edition.app.registry
    (ada,) = registry.everybody()
    registry.set_preferences(ada.public_id, ada.topics, replace(ada.preferences, locale="de-AT"))
    page = shown(shared_edition, sample=EDITION, reader="Ada@example.org", language=language)
    picture, *_ = pictures(shared_edition, page)
    registry.set_preferences(ada.public_id, ada.topics, ada.preferences)
    assert f'lang="{lang}"' in picture.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"reader": "nobody@example.org"}, "there is no subscriber nobody@example.org"),
        ({"reader": "no address"}, "no address"),
        ({"topics": "(robots"}, "robots"),
        ({"day": "2001-01-01"}, "2001-01-01"),
    ],
)
def test_an_edition_that_cannot_be_shown_says_why(shared_edition, query, said):
    page = shown(shared_edition, sample=EDITION, **query)
    assert said in text_of(page, "//section[@class='problem']")
    assert not page.xpath("//iframe")


def test_without_papers_an_edition_says_what_to_do(shared_client):
    page = shown(shared_client, sample=EDITION)
    assert "nothing is collected yet" in text_of(page, "//section[@class='problem']")


# ---- a test by mail --------------------------------------------------------------------------


def send(client, to="ada@example.org", **query):
    page = shown(client, **query)
    (form,) = page.xpath("//form[@action='/send']")
    fields = {**dict(form.form_values()), "address": to}
    origin = {"Origin": HERE, "Sec-Fetch-Site": "same-origin"}
    return page_of(client.post("/send", data=fields, headers=origin))


def told(page):
    return text_of(page, "//p[@id='told']")


def test_a_test_goes_into_the_folder(client, tmp_path):
    page = send(client, sample="full", scheme="dark", tab="text")
    assert told(page).startswith("accepted")
    assert page.xpath("//nav[@class='tabs']/a[@aria-current]/@id") == ["tab-text"]
    (file,) = (tmp_path / "var" / "outbox").glob("*.eml")
    mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert mail["To"] == "ada@example.org"
    assert mail["Subject"].startswith("[test] 6 for you: Folding Laundry")
    assert mail["List-Unsubscribe"]


def test_each_test_is_a_message_of_its_own(open_studio, smtp_server):
    client = open_studio(transport=smtp_server.url())
    for _ in range(2):
        assert told(send(client, sample="welcome")) == "accepted: 2.0.0 OK"
    first, second = [email.message_from_bytes(each.content) for each in smtp_server.received]
    assert first["Message-ID"] != second["Message-ID"]
    assert first["List-Unsubscribe"] is None


def test_a_letter_is_sent_with_the_senders_own_links(open_studio, smtp_server):
    client = open_studio(transport=smtp_server.url(), base_url="https://papers.example.net")
    send(client, sample="full")
    assert b"https://papers.example.net/unsubscribe/" in smtp_server.received[0].content


def test_what_the_server_answers_is_shown(open_studio, smtp_server):
    smtp_server.will_say(Point.RCPT, "550 5.1.1 Nobody <here> by that name")
    page = send(open_studio(transport=smtp_server.url()))
    assert "Nobody <here> by that name" in told(page)
    assert page.xpath("//p[@id='told']/@class") == ["bad"]


@pytest.mark.parametrize("to", ["", "no address", "a@b\r\nBcc: c@example.org", "x" * 300])
def test_an_address_that_is_none_is_told(shared_client, to):
    assert send(shared_client, to=to).xpath("//p[@id='told']/@class") == ["bad"]
    assert not list((shared_client.own.parent / "var").glob("outbox/*.eml"))


def test_a_setting_that_is_missing_is_named(open_studio):
    client = open_studio(postal_address="")
    assert "DIGEST_POSTAL_ADDRESS must be set before anything can be sent" in told(send(client))


def test_a_server_that_is_not_there_is_told(open_studio):
    with nobody_listens() as port:
        page = send(open_studio(transport=f"smtp://127.0.0.1:{port}"))
    assert "127.0.0.1" in told(page)


def test_a_broken_mail_is_not_sent(client, own, tmp_path):
    shown(client)
    edit(own / CARD, "<h3", WRONG + "<h3")
    assert CARD in told(send(client))
    assert not list((tmp_path / "var").glob("outbox/*.eml"))


def test_looking_sends_nothing(client, tmp_path):
    assert client.get("/send?address=ada@example.org").status_code == 405
    assert page_of(client.post("/send", data={})).xpath("//p[@id='told']/@class") == ["bad"]
    shown(client)
    assert not (tmp_path / "var" / "outbox").exists()

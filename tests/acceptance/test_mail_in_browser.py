"""The emails as a phone and a desktop show them. Needs Chromium; skipped where it is not.

Heights and targets are those of the house: a head of 120 pixels, twelve papers in 3,600, targets of
32 pixels, 44 for the button.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from digest.cli.demo import demo_app, run_demo
from digest.compose.composer import Composer
from digest.compose.content import fill
from digest.compose.environment import Templates, built_in_templates
from digest.compose.from_identity import from_identity
from digest.compose.language import language
from digest.studio.samples import samples, view_of
from tests.acceptance.looks import low_contrast, overflow
from tests.support import make_settings

SAMPLES = samples([built_in_templates()])
BOTH = ("light", "dark")
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="1104" height="596"/>'
# Each link's height, and the text of those that are lower than what a finger hits. A title that is
# a heading has a whole line or more; a link in the operator's sentence is as high as its line, as
# WCAG 2.5.8 allows.
_LOW_TARGETS = """() => [...document.querySelectorAll("a[href]")].filter((link) => {
  const {height, width} = link.getBoundingClientRect();
  return width > 0 && height < (link.classList.contains("go") ? 44 : 32)
    && !link.closest("h3, .typed") && !link.querySelector("img");
}).map((link) => link.textContent)"""


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    # In a thread: the browser has an event loop in this one, and sending begins another.
    with ThreadPoolExecutor(1) as threads:
        folder = tmp_path_factory.mktemp("demo")
        demo = threads.submit(run_demo, demo_app(folder), lambda done, total: None).result()
    return [mail.html for mail in demo.mails]


@cache
def composer_in(code: str) -> Composer:
    return Composer(Templates(None, language(code)), from_identity(make_settings()))


def html_of(name: str, code: str = "en") -> str:
    composer, sample = composer_in(code), SAMPLES[name]
    return fill(composer.templates, sample.mail, view_of(sample, composer)).html


def page_with(browser: Browser, html: str, width: int = 360, scheme: str = "light") -> Page:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.route("**/*", lambda route: route.fulfill(body=PICTURE, content_type="image/svg+xml"))
    page.set_content(html)
    return page


@pytest.mark.parametrize("width", [360, 700])
@pytest.mark.parametrize("scheme", BOTH)
def test_a_mail_fits_the_screen_and_can_be_read(
    browser: Browser, mails: list[Path], width: int, scheme: str
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for mail in mails:
        page.goto(mail.as_uri())
        assert overflow(page) == 0
        assert low_contrast(page) == []
        backdrop = page.evaluate(
            "getComputedStyle(document.querySelector('.page')).backgroundColor"
        )
        assert (backdrop == "rgb(16, 17, 20)") == (scheme == "dark")
    assert [url for url in asked if not url.startswith("file:")] == []
    page.close()


@pytest.mark.parametrize("code", ["en", "de"])
def test_each_mail_fits_can_be_read_and_is_hit_by_a_finger(browser: Browser, code: str) -> None:
    for name in SAMPLES:
        page = page_with(browser, html_of(name, code))
        for width, scheme in product((360, 700), BOTH):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            where = (name, width, scheme)
            assert (where, overflow(page)) == (where, 0)
            assert (where, low_contrast(page)) == (where, [])
            assert (where, page.evaluate(_LOW_TARGETS)) == (where, [])
        page.close()


def test_twelve_papers_are_short_and_small(browser: Browser) -> None:
    html = html_of("twelve")
    assert len(html.encode()) < 60_000
    page = page_with(browser, html)
    assert page.locator("h3").count() == 12
    assert page.evaluate("document.documentElement.scrollHeight") < 3600
    assert page.locator("h2").first.bounding_box()["y"] <= 120 + 24  # with the gap below the head
    page.close()


@pytest.mark.parametrize("name", ["twelve", "full", "no-topics", "nothing-matched", "confirm"])
def test_without_styles_in_the_head_a_mail_is_still_whole(browser: Browser, name: str) -> None:
    page = page_with(browser, re.sub(r"<style.*?</style>", "", html_of(name), flags=re.DOTALL))
    assert overflow(page) == 0
    assert low_contrast(page) == []
    page.close()


def test_each_link_of_a_paper_has_a_name_of_its_own(browser: Browser) -> None:
    page = page_with(browser, html_of("twelve"))
    said = page.eval_on_selector_all(
        "h3 a, a.way, a.verdict, a.go",
        "links => links.map(link => link.getAttribute('aria-label') || link.textContent)",
    )
    assert len(said) == len(set(said)) > 40
    page.close()

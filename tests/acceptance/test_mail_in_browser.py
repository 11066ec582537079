"""The demo's mails as a phone and a desktop show them. Needs Chromium; skipped where it is not."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from digest.cli.demo import run_demo
from tests.acceptance.looks import low_contrast, overflow


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    demo = run_demo(tmp_path_factory.mktemp("demo"), lambda done, total: None)
    return [mail.html for mail in demo.mails]


@pytest.mark.parametrize("width", [360, 700])
@pytest.mark.parametrize("scheme", ["light", "dark"])
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
        assert (backdrop == "rgb(22, 21, 19)") == (scheme == "dark")
        # Above the fold of a phone: the way out.
        assert page.locator("a", has_text="Unsubscribe").first.bounding_box()["y"] < 600
    assert [url for url in asked if not url.startswith("file:")] == []
    page.close()

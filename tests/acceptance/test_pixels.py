"""Filled into what was built or made the plain way, an email looks the same, to the pixel.

Needs Chromium; skipped where it is not. Nothing is fetched: pictures show their descriptions.
"""

import random
from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Browser, Page

from digest.compose.composer import Composer
from digest.compose.content import fill, fill_plainly
from digest.compose.environment import Templates, built_in_templates
from digest.compose.from_identity import FromIdentity, from_identity
from digest.compose.language import language
from digest.studio.preview import with_pictures
from digest.studio.samples import samples, view_of
from tests.acceptance.looks import look_through
from tests.support import make_settings
from tests.unit.compose.both_ways import BothWays, own_templates, some_digest
from tests.unit.compose.test_built import BUILT

SAMPLES = samples([built_in_templates()])
PLAIN = from_identity(make_settings())
PICTURED = with_pictures(PLAIN)
SENT = [("en", PLAIN), ("en", PICTURED), ("de", PLAIN), ("he", PICTURED)]
WAYS = (fill, fill_plainly)
HEBREW = 'msgid "Papers on your topics, the best first."\nmsgstr "מאמרים חדשים"\n'

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.route("**/*", lambda route: route.abort())
    yield page
    page.close()


def assert_same_pixels(page: Page, filled: str, plain: str) -> None:
    """Compare two documents on a phone and a desktop, light and dark."""
    seen: list[list[bytes]] = []
    for html in (filled, plain):
        page.set_content(html)
        seen.append([])
        for width, scheme in product((360, 700), ("light", "dark")):
            look_through(page, width, scheme)
            seen[-1].append(page.screenshot(full_page=True))
    assert seen[0] == seen[1]
    assert len(set(seen[0])) == 4  # the window was as wide and as dark as it was to be


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Templates]:
    folder = tmp_path_factory.mktemp("own")
    (folder / "locales").mkdir()
    (folder / "locales" / "he.po").write_text(HEBREW, encoding="utf-8")
    return {code: Templates(folder, language(code, folder)) for code, _ in SENT}


@pytest.mark.parametrize(("code", "identity"), SENT)
@pytest.mark.parametrize("name", SAMPLES)
def test_samples(
    page: Page, templates: dict[str, Templates], name: str, code: str, identity: FromIdentity
) -> None:
    view = view_of(SAMPLES[name], Composer(templates[code], identity))
    filled, plain = (make(templates[code], SAMPLES[name].mail, view) for make in WAYS)
    assert filled.not_built is None
    assert_same_pixels(page, filled.html, plain.html)


@pytest.mark.parametrize("what", BUILT)
def test_what_operators_write(page, what, tmp_path):
    both = BothWays(own_templates(tmp_path, BUILT[what]))
    view = both.view(some_digest(random.Random(1), most=5))
    filled, plain = (make(both.templates, "digest", view) for make in WAYS)
    assert_same_pixels(page, filled.html, plain.html)

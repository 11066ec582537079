"""The README's pictures, made anew: ``python -m tests.pictures``.

docs/digest.png is the demo's first mail on two phones, light and dark; docs/demo.png what `digest demo --serve` shows
on phones, docs/people.png its subscribers; docs/studio.png the studio. The others are pages: docs/home.png and
docs/preferences.png wide and on a phone, docs/day.png and docs/paper.png on a tablet too.
It needs Chromium, and the Liberation fonts to look as mails do on most machines.
"""

import base64
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

from digest.app.app import App
from digest.app.web import web
from digest.cli.demo import NOW, demo_app, run_demo
from digest.service.web_server import WebServer
from subscribers.model import Verdict
from subscribers.store.directory import PeopleSearch
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics

Scheme = Literal["light", "dark"]
DOCS = Path(__file__).parents[1] / "docs"
PHONE = {"width": 390, "height": 780}
STUDIO = {"width": 1200, "height": 752}
HEIGHT = 952
WIDE_AND_PHONE: list[tuple[int, Scheme]] = [(1100, "light"), (360, "dark")]
ALL_WIDTHS: list[tuple[int, Scheme]] = [(1200, "light"), (700, "dark"), (360, "light")]
PAGES_PORT = 8766
DEMO_PORT = 8767
SLOWEST = 180_000  # milliseconds until a page is there
PAPER = "arxiv:2512.04678"
_PHONES = """<!doctype html><style>
  body { margin: 0; padding: 32px 24px; display: flex; gap: 40px; background: #e2e2dd }
  img { display: block; width: 390px; height: 780px; border: 8px solid #171717; border-radius: 30px }
</style>"""

_SIDE_BY_SIDE = """<!doctype html><style>
  body { margin: 0; padding: 16px; display: flex; gap: 16px; background: #c9cad4 }
  img { display: block; height: 952px; border-radius: 8px }
</style>"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        # Before the browser: both have an event loop, and a thread has one.
        [mail, *_] = [
            Path(sent.html) for sent in run_demo(demo_app(Path(folder) / "demo"), ignore).mails
        ]
        take(Path(folder), mail)


def take(folder: Path, mail: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        phones(browser, mail)
        demo(browser, folder)
        pages(browser, folder)
        studio(browser, folder)
        browser.close()


def ignore(*_: object) -> None:
    pass


def phones(browser: Browser, mail: Path) -> None:
    schemes: tuple[Scheme, ...] = ("light", "dark")
    _side_by_side(
        [_on_a_phone(browser, mail.as_uri(), scheme) for scheme in schemes], browser, "digest"
    )


def demo(browser: Browser, folder: Path) -> None:
    """Take the landing page, an email and the studio of `digest demo --serve`; its people too."""
    address = f"http://127.0.0.1:{DEMO_PORT}"
    words = ["demo", "--serve", "--home", "served", "--port", str(DEMO_PORT)]
    with _running(folder, *words, sign="The pages are at"):
        _look(browser, f"{address}/", 390, "light")  # what is made in the background is ready then
        links = [f"{address}/", _first_email(browser, address), f"{address}/studio/editions"]
        shots = [_on_a_phone(browser, link, "light") for link in links]
        _side_by_side(shots, browser, "demo")
        person = join(demo_app(folder / "served", DEMO_PORT))
        shots = [
            _on_a_phone(browser, f"{address}/studio/subscribers", "light"),
            _on_a_phone(browser, f"{address}/studio/subscribers/{person}", "dark"),
        ]
        _side_by_side(shots, browser, "people")


def join(app: App) -> int:
    """Add subscribers, one of them paused, one blocked and one who waits; return the first."""
    registry = app.registry
    for number, name in enumerate(("hedy", "katherine", "dorothy", "joan")):
        topics = parse_topics(("robots", "protein folding", "diffusion models")[: number % 3 + 1])
        registry.add(f"{name}@example.edu", topics, source="operator", now=NOW)
    registry.ask("maryam@example.edu", (), source="form", now=NOW)
    _, katherine, dorothy, *_ = registry.directory.ids(PeopleSearch("@example.edu"), NOW.date())
    registry.bulk_changes.pause([katherine], NOW.date() + timedelta(days=20))
    registry.bulk_changes.block([dorothy], NOW)
    return registry.everybody()[0].id


def _first_email(browser: Browser, address: str) -> str:
    page = browser.new_page()
    page.goto(f"{address}/studio/outbox")
    link = page.locator("tbody th a").first.get_attribute("href")
    return f"{address}{link}"


def _on_a_phone(browser: Browser, link: str, scheme: Scheme) -> bytes:
    page = browser.new_page(viewport=PHONE, color_scheme=scheme)
    page.goto(link, timeout=SLOWEST)
    page.wait_for_timeout(3000)  # frames and numbers come when they are ready
    return page.screenshot()


def _side_by_side(shots: Sequence[bytes], browser: Browser, name: str) -> None:
    width = 8 + len(shots) * (PHONE["width"] + 56)
    page = browser.new_page(viewport={"width": width, "height": 860})
    page.set_content(_PHONES + "".join(map(_inline, shots)))
    page.screenshot(path=DOCS / f"{name}.png")


@contextmanager
def _running(folder: Path, *words: str, sign: str) -> Iterator[None]:
    """Run a command of digest until the end; it is ready once it has printed a sign."""
    running = subprocess.Popen(
        [sys.executable, "-m", "digest", *words], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    try:
        assert running.stderr
        while sign not in (line := running.stderr.readline()):
            assert line, f"digest {words[0]} has ended"
        yield
    finally:
        running.terminate()
        running.wait()


def pages(browser: Browser, folder: Path) -> None:
    """Take the pages of the demo, on the evening of its day."""
    address = f"http://127.0.0.1:{PAGES_PORT}"
    app = App(
        environment={},
        dotenv=None,
        clock=lambda: NOW,
        home=str(folder / "demo"),
        from_="digest@example.org",
        base_url=address,
        secret=(folder / "demo" / "secret").read_text(encoding="utf-8"),
        postal_address="Paper Digest, 1 Example Street, 0150 Oslo, Norway",
    )
    reader = app.registry.everybody()[0]
    for paper, verdict in ((PAPER, Verdict.LIKE), ("arxiv:2512.05049", Verdict.MUTE)):
        app.registry.ratings.rate(reader.id, paper, verdict, NOW)
    ready = Event()
    server = WebServer(web(app), "127.0.0.1", PAGES_PORT, ready=ready.set)
    thread = Thread(target=server.run)
    thread.start()
    try:
        assert ready.wait(30)
        own = app.identity.link(Purpose.PREFERENCES, reader.public_id)
        for name, link, looks in (
            ("home", f"{address}/", WIDE_AND_PHONE),
            ("preferences", own, WIDE_AND_PHONE),
            ("day", f"{address}/{NOW.date()}", ALL_WIDTHS),
            ("paper", f"{address}/paper/{PAPER}", ALL_WIDTHS),
        ):
            _look(browser, link, *looks[0])  # what is made in the background is ready then
            shots = [_look(browser, link, *look) for look in looks]
            wide = sum(width + 16 for width, _ in looks) + 16
            all_of_them = browser.new_page(viewport={"width": wide, "height": HEIGHT + 32})
            all_of_them.set_content(_SIDE_BY_SIDE + "".join(map(_inline, shots)))
            all_of_them.screenshot(path=DOCS / f"{name}.png")
    finally:
        server.should_exit = True
        thread.join(30)


def _look(browser: Browser, link: str, width: int, scheme: Scheme) -> bytes:
    page = browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
    page.goto(link, timeout=SLOWEST)
    page.wait_for_timeout(3000)  # numbers and a sample come when they are ready
    page.reload()
    return page.screenshot()


def _inline(shot: bytes) -> str:
    return f'<img src="data:image/png;base64,{base64.b64encode(shot).decode()}">'


def studio(browser: Browser, folder: Path) -> None:
    eject = [sys.executable, "-m", "digest", "templates", "eject", "my-templates"]
    subprocess.run(eject, cwd=folder, check=True)
    words = ["studio", "--templates", "my-templates", "--port", "8765"]
    with _running(folder, *words, sign="127.0.0.1:8765"):
        page = browser.new_page(viewport=STUDIO)
        for sample in ("largest", "full"):  # the first one takes as long as building templates does
            page.goto(f"http://127.0.0.1:8765/?sample={sample}", timeout=SLOWEST)
        page.wait_for_timeout(3000)  # the frames, and the checks
        page.screenshot(path=DOCS / "studio.png")


if __name__ == "__main__":
    main()

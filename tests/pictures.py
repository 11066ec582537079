"""The README's pictures, made anew: ``python -m tests.pictures``.

docs/digest.png is the demo's first mail on two phones, light and dark; docs/studio.png the studio.
It needs Chromium, and the Liberation fonts to look as mails do on most machines.
"""

import base64
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

from digest.cli.demo import run_demo

DOCS = Path(__file__).parents[1] / "docs"
PHONE = {"width": 390, "height": 780}
STUDIO = {"width": 1200, "height": 752}
_PHONES = """<!doctype html><style>
  body { margin: 0; padding: 32px 24px; display: flex; gap: 40px; background: #ddd5c8 }
  img { display: block; width: 390px; height: 780px; border: 8px solid #171717; border-radius: 30px }
</style>"""


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        phones(browser, Path(folder))
        studio(browser, Path(folder))
        browser.close()


def phones(browser: Browser, folder: Path) -> None:
    [mail, *_] = run_demo(folder / "demo", lambda *_: None).mails
    shots = [_on_a_phone(browser, mail.html, scheme) for scheme in ("light", "dark")]
    page = browser.new_page(viewport={"width": 900, "height": 860})
    pictures = (base64.b64encode(shot).decode() for shot in shots)
    page.set_content(_PHONES + "".join(f'<img src="data:image/png;base64,{p}">' for p in pictures))
    page.screenshot(path=DOCS / "digest.png")


def _on_a_phone(browser: Browser, mail: Path, scheme: Literal["light", "dark"]) -> bytes:
    page = browser.new_page(viewport=PHONE, color_scheme=scheme)
    page.goto(mail.as_uri())
    return page.screenshot()


def studio(browser: Browser, folder: Path) -> None:
    digest = [sys.executable, "-m", "digest"]
    subprocess.run([*digest, "templates", "eject", "my-templates"], cwd=folder, check=True)
    running = subprocess.Popen(
        [*digest, "studio", "--templates", "my-templates", "--port", "8765"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stderr
        while "127.0.0.1:8765" not in running.stderr.readline():
            pass
        page = browser.new_page(viewport=STUDIO)
        page.goto("http://127.0.0.1:8765/?sample=full")
        page.wait_for_load_state("load")
        page.wait_for_timeout(3000)  # the frames, and the checks
        page.screenshot(path=DOCS / "studio.png")
    finally:
        running.terminate()
        running.wait()


if __name__ == "__main__":
    main()

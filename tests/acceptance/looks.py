"""Measure how a page looks, once it and its stylesheet have loaded.

After a click a new page's text is there before its stylesheet is, so each measure waits first.
"""

from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# The relative luminance and contrast of WCAG 2.2 (section 1.4.3), of each text as it is computed.
_LOW_CONTRAST = """() => {
  const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const parse = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const e of document.querySelectorAll("p, h1, h2, h3, a, small, span, b")) {
    if (!e.textContent.trim()) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) low.push(`${contrast.toFixed(2)}: ${e.textContent.trim().slice(0, 40)}`);
  }
  return low;
}"""

# What is pressed, but for links within a sentence and what is not seen; of a box, its label.
_TOO_SMALL = """(least) => {
  const small = [];
  for (const e of document.querySelectorAll("button, select, summary, nav a, a.button, a.press, .chip, .tick, input:not([type=hidden]):not([type=checkbox]):not([type=radio])")) {
    if (e.closest(".unseen, .trap") || (e.closest(".chip") && !e.matches(".chip"))) continue;
    const { width, height } = e.getBoundingClientRect();
    if (width > 0 && height < least) small.push(`${Math.round(height)}: ${e.outerHTML.slice(0, 80)}`);
  }
  return small;
}"""

# A frame has no axe in it: nothing was ever found there, but each look waits half a second for it.
_AXE = {"resultTypes": ["violations"], "iframes": False}


def look_through(page: Page, width: int, scheme: Literal["light", "dark"]) -> None:
    """Set the width of a page's window, and light or dark."""
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)


def low_contrast(page: Page) -> list[str]:
    """Return the texts with less contrast than WCAG 2.2 level AA asks for."""
    page.wait_for_load_state("load")
    return page.evaluate(_LOW_CONTRAST)


def too_small(page: Page, least: int) -> list[str]:
    """Return what a thumb would miss: buttons, fields and links that stand alone, with heights."""
    page.wait_for_load_state("load")
    return page.evaluate(_TOO_SMALL, least)


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    page.wait_for_load_state("load")
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def violations(page: Page) -> list[str]:
    """Return the faults that axe-core (https://github.com/dequelabs/axe-core) finds by scripts."""
    page.wait_for_load_state("load")
    found = Axe().run(page, options=_AXE).response
    return [
        f"{fault['id']}: {fault['help']}: {node['html'][:200]}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]

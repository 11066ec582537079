"""Hooks of MkDocs: the README is the first page, and links lead out of docs/ where they can."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Make the first page of the README; its links are those of a page in docs/."""
    text = (ROOT / "README.md").read_text("utf-8")
    files.append(File.generated(config, "index.md", content=text.replace("](docs/", "](")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to other files of the repository there; leave their words if it has no address."""
    uri = page.file.src_uri
    folder = ROOT if uri == "index.md" else (ROOT / "docs" / uri).parent
    up = "../" * uri.count("/")

    def led(found: re.Match[str]) -> str:
        words, target = found[1], found[2]
        path, hash_sign, anchor = target.partition("#")
        place = (folder / path).resolve()
        inside = place.is_relative_to(ROOT / "docs") or not place.exists()
        if inside or place == ROOT:
            return found[0]
        if place == ROOT / "README.md":
            return f"[{words}]({up}index.md{hash_sign}{anchor})"
        if not config.repo_url:
            return words
        return f"[{words}]({config.repo_url.rstrip('/')}/blob/main/{place.relative_to(ROOT)})"

    return re.sub(r"(?<!!)\[([^\]]*)\]\((?!https?:|mailto:|#)([^)]+)\)", led, markdown)

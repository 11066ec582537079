"""Make the pages with sample data that the studio shows: the web application itself, over a
database that is made for this, and removed in the end.
"""

import shutil
import weakref
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from secrets import token_hex
from tempfile import mkdtemp
from threading import Lock

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Engine

from digest.app.app import App
from digest.app.web import web
from digest.collect.sample_edition import SAMPLE_DAY, SAMPLE_EDITION, SAMPLE_EVENING
from digest.compose.environment import Templates
from digest.compose.from_identity import preview_identity
from digest.compose.language import language
from digest.compose.pseudo import pseudo_languages
from digest.errors import TemplateError
from digest.settings.settings import Settings
from digest.studio.render import Pages
from digest.studio.site_routes import AT, SampleSite
from digest.studio.site_samples import SampleData
from digest.studio.watch import Watch


def sample_site(
    settings: Settings,
    watch: Watch,
    pages: Pages,
    languages: Callable[[], Mapping[str, str]],
    root: str,
) -> SampleSite:
    """Return the pages, to be served below ``root``, in the operator's name and templates.

    They are made when they are first asked for, and anew when a template has changed.
    """
    scratch = _Scratch(settings, root)

    def tell(_: Request, error: Exception) -> Response:
        return HTMLResponse(pages.fill("no-picture.html.j2", {"why": str(error)}))

    @lru_cache(maxsize=1)
    def as_of(_stamp: str) -> FastAPI:
        made = web(scratch.app())
        made.add_exception_handler(TemplateError, tell)
        return made

    return SampleSite(
        lambda: as_of(watch.stamp()), lambda: scratch.data, languages, settings.language
    )


class _Scratch:
    """An installation of its own, with nobody in it and the papers of one day.

    Of the operator's it has the name and the templates, and nothing that is secret.
    """

    def __init__(self, settings: Settings, root: str) -> None:
        self._settings = settings
        self._root = root
        self._secret = token_hex(32)
        self._lock = Lock()

    def app(self) -> App:
        """Return its objects, with the templates as they are now."""
        return self._app_over(self._first)

    @property
    def data(self) -> SampleData:
        app = self._first
        edition = app.ledger.editions.on(SAMPLE_DAY)
        assert edition
        paper = edition.candidates[0]
        return SampleData(
            app.registry,
            app.identity.tokens,
            SAMPLE_EVENING,
            SAMPLE_DAY,
            paper.key,
            paper.facts.authors[0],
        )

    @property
    def _first(self) -> App:
        with self._lock:  # the frames of a page ask together
            return self._made

    @cached_property
    def _made(self) -> App:
        home = Path(mkdtemp(prefix="paper-digest-pages-"))
        made = self._app_in(home)
        weakref.finalize(self, _remove, made.engine, home)
        made.collector.collect_files([SAMPLE_EDITION], None, SAMPLE_EVENING)
        made.ledger.editions.freeze(SAMPLE_DAY, SAMPLE_DAY, SAMPLE_EVENING)
        return made

    def _app_over(self, first: App) -> App:
        app = self._app_in(first.settings.home)
        app.engine, app.corpora = first.engine, first.corpora
        own = self._settings.templates
        app.templates = Templates(
            own,
            language(self._settings.language, own),
            others=pseudo_languages(),
        )
        return app

    def _app_in(self, home: Path) -> App:
        ours = self._settings
        shown = preview_identity(ours)
        address = shown.base_url.removesuffix(shown.root)
        return App(
            {},
            None,
            lambda: SAMPLE_EVENING,
            home=str(home),
            secret=self._secret,
            base_url=f"{address}{self._root}{AT}",
            from_name=ours.from_name,
            from_=shown.address,
            reply_to=shown.reply_to,
            postal_address=shown.postal_address,
            language=ours.language,
            timezone=ours.timezone.key,
            templates=str(ours.templates or ""),
            pictures="no",  # none are fetched
            mx_lookups="no",
            sign_ups_per_hour="100000",
            log_format=ours.log_format,
            log_addresses="yes" if ours.log_addresses else "no",
        )


def _remove(engine: Engine, home: Path) -> None:
    engine.dispose()
    shutil.rmtree(home, ignore_errors=True)

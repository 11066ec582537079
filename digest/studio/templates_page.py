"""Fill the templates page: an email as its readers see it, and the findings about it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from itertools import groupby

from fastapi.responses import HTMLResponse

from digest.compose.language import SHIPPED
from digest.errors import TemplateError
from digest.studio.differences import differences
from digest.studio.measures import excerpt, head_of, sizes, source_lines, tally, worst
from digest.studio.preview import Preview
from digest.studio.preview_cache import PreviewCache, StudioContext
from digest.studio.preview_request import Looks, PreviewRequest, Scheme, Tab, View, address
from digest.studio.render import Pages
from digest.studio.samples import Sample
from digest.studio.template_folders import before

WIDTHS = {View.PHONE: 360, View.DESKTOP: 700}


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture on the page; ``kind`` is the screen, whose width is in the style sheet."""

    kind: View
    label: str
    address: str


@dataclass(frozen=True, slots=True)
class SendResult:
    """The result of a test that was sent to an address."""

    address: str
    words: str
    is_good: bool


class TemplatesPage:
    """The page for a request and looks."""

    def __init__(
        self, studio_context: StudioContext, preview_cache: PreviewCache, pages: Pages
    ) -> None:
        self._context = studio_context
        self._preview_cache = preview_cache
        self._pages = pages

    def page(
        self, preview_request: PreviewRequest, looks: Looks, told: SendResult | None = None
    ) -> HTMLResponse:
        """Return the whole page. It reports an email that cannot be rendered."""
        stamp = self._context.watch.stamp()
        samples = self._preview_cache.samples()
        preview_request = or_first_sample(preview_request, samples)
        cached = self._preview_cache.current(preview_request)
        values: dict[str, object] = {
            "here": "templates",
            "stamp": stamp,
            "folder": self._context.folder,
            "preview_request": preview_request,
            "looks": looks,
            "told": told,
            "samples": by_mail(samples),
            "about": samples[preview_request.sample].about
            if preview_request.sample in samples
            else "",
            "days": self._context.days(),
            "languages": self._context.languages(),
            "link": links(preview_request, looks),
            "neighbours": neighbours(preview_request, samples),
            "cached": cached,
            "problem": self._place(cached.error)
            if isinstance(cached.error, TemplateError)
            else None,
        }
        if preview := cached.preview:
            values |= {
                "sizes": sizes(preview),
                "tally": tally(preview.findings),
                "worst": worst(preview.findings),
                **self._of_tab(preview, preview_request, looks, cached.version),
            }
        return self._pages.html("templates.html.j2", HTTPStatus.OK, **values)

    def _of_tab(
        self, preview: Preview, preview_request: PreviewRequest, looks: Looks, version: str
    ) -> dict[str, object]:
        """Return the values that only the chosen tab shows."""
        match looks.tab:
            case Tab.MAIL:
                return {"frames": list(frames(preview_request, looks, version))}
            case Tab.HEADERS:
                message = address("/message.eml", preview_request)
                return {"head": head_of(preview.message), "message": message}
            case Tab.MJML:
                return {"lines": list(source_lines(preview.mjml))}
            case Tab.CHECKS:
                places = [
                    self._excerpt(finding.template, finding.line, 2) for finding in preview.findings
                ]
                return {"findings": list(zip(preview.findings, places, strict=True))}
            case Tab.CHANGES:
                return self._changes(preview_request, looks, version)
            case _:
                return {}

    def _changes(
        self, preview_request: PreviewRequest, looks: Looks, version: str
    ) -> dict[str, object]:
        folder, built_in = self._context.folder, self._context.built_in
        kind = View.DESKTOP if looks.view is View.DESKTOP else View.PHONE
        with before(folder, built_in) as was:
            if was is None:
                return {"before": None}
            return {
                "before": was,
                "frames": [
                    Frame(
                        kind, "Before", picture_address(preview_request, looks, version, "before")
                    ),
                    Frame(kind, "Now", picture_address(preview_request, looks, version)),
                ],
                "changes": differences(was.folder, folder, all_of_before=was.folder != built_in),
            }

    def _place(self, error: TemplateError) -> object:
        return self._excerpt(error.template, error.line)

    def _excerpt(self, template: str, line: int, *around: int) -> object:
        # Translations are reported like templates: locales/de.po
        folders = (self._context.folder, self._context.built_in, SHIPPED.parent)
        return excerpt(template, line, folders, *around)


def or_first_sample(
    preview_request: PreviewRequest, samples: Mapping[str, Sample]
) -> PreviewRequest:
    """Return the request, or one for the first sample if it names none that exists."""
    if preview_request.is_edition or preview_request.sample in samples or not samples:
        return preview_request
    return PreviewRequest(next(iter(samples)), language=preview_request.language)


def by_mail(samples: Mapping[str, Sample]) -> list[tuple[str, list[str]]]:
    """Return the names of the samples of each email, in order."""
    names = groupby(samples, lambda name: samples[name].mail)
    return [(mail, list(its)) for mail, its in names]


def neighbours(preview_request: PreviewRequest, samples: Mapping[str, Sample]) -> tuple[str, str]:
    """Return the names of the samples before and after the chosen one, in a ring."""
    names = list(samples)
    if preview_request.sample not in names:
        return ("", "") if not names else (names[-1], names[0])
    at = names.index(preview_request.sample)
    return names[at - 1], names[(at + 1) % len(names)]


def links(preview_request: PreviewRequest, looks: Looks) -> Callable[..., str]:
    """Return a function that makes the address of the page with other fields."""

    def link(*, sample: str | None = None, **changes: str) -> str:
        language = preview_request.language
        chosen = preview_request if sample is None else PreviewRequest(sample, language=language)
        return address("/", chosen, **{**looks.fields, **changes})

    return link


def frames(preview_request: PreviewRequest, looks: Looks, version: str) -> Iterator[Frame]:
    """Yield the pictures that are shown at once."""
    for kind in WIDTHS if looks.view in {View.BOTH, View.ALL} else (looks.view,):
        for scheme in Scheme if looks.view is View.ALL else (looks.scheme,):
            label = f"{kind.value.capitalize()}, {scheme.value}, {WIDTHS[kind]} px"
            shown = replace(looks, scheme=scheme)
            yield Frame(kind, label, picture_address(preview_request, shown, version))


def picture_address(
    preview_request: PreviewRequest, looks: Looks, version: str, of: str = "now"
) -> str:
    """Return the address of a picture, which differs for each picture."""
    fields = {name: looks.fields[name] for name in ("scheme", "images")}
    return address("/picture", preview_request, **fields, of=of, version=version)

"""How a source is found."""

from importlib.metadata import EntryPoint

import pytest

from digest.collect import source as source_module
from digest.collect.arxiv import Arxiv
from digest.collect.http import Http
from digest.collect.huggingface import HuggingFace
from digest.collect.snapshots import Snapshots
from digest.collect.source import GROUP, find_sources
from digest.errors import SourceError
from tests.support import make_settings


@pytest.fixture
def http(tmp_path):
    http = Http(Snapshots(tmp_path), timeout=1, attempts=1)
    yield http
    http.close()


def install(monkeypatch: pytest.MonkeyPatch, **points: str) -> None:
    installed = [EntryPoint(name, value, GROUP) for name, value in points.items()]

    def entry_points(*, group: str) -> list[EntryPoint]:
        assert group == GROUP
        return installed

    monkeypatch.setattr(source_module, "entry_points", entry_points)


def made_here(settings, http):
    """A plug-in."""
    return (settings, http)


def test_the_built_in_sources_are_found_in_the_order_asked_for(http):
    sources = find_sources(["arxiv", "huggingface"], make_settings(), http)
    assert [type(source) for source in sources] == [Arxiv, HuggingFace]
    assert [source.name for source in sources] == ["arxiv", "huggingface"]


def test_no_names_are_no_sources(http):
    assert find_sources([], make_settings(), http) == []


def test_an_unknown_name_is_told_with_what_is_installed(http, monkeypatch):
    install(monkeypatch, zebra="x:y", arxiv="x:y")
    with pytest.raises(SourceError) as caught:
        find_sources(["duck"], make_settings(), http)
    assert str(caught.value) == "there is no source 'duck'; installed are: arxiv, zebra"


def test_an_unknown_name_where_nothing_is_installed(http, monkeypatch):
    install(monkeypatch)
    with pytest.raises(SourceError, match="installed are: none"):
        find_sources(["duck"], make_settings(), http)


@pytest.mark.parametrize(
    "value", ["no_such_module_anywhere:source", f"{__name__}:no_such_name", "1/0:not a reference"]
)
def test_a_broken_plug_in_is_named(http, monkeypatch, value):
    install(monkeypatch, duck=value)
    with pytest.raises(SourceError, match="the source 'duck' cannot be loaded: ") as caught:
        find_sources(["duck"], make_settings(), http)
    assert caught.value.__cause__ is not None


def test_a_broken_plug_in_that_nobody_asked_for_does_no_harm(http, monkeypatch):
    install(monkeypatch, duck="no_such_module_anywhere:source", mine=f"{__name__}:made_here")
    assert len(find_sources(["mine"], make_settings(), http)) == 1


def test_a_plug_in_gets_the_settings_and_the_web_client(http, monkeypatch):
    install(monkeypatch, mine=f"{__name__}:made_here")
    settings = make_settings()
    assert find_sources(["mine"], settings, http) == [(settings, http)]

"""Collecting papers, ranking and summarizing them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

from digest.app.mail import MailParts
from digest.collect.source import Source, find_sources
from digest.model.digests import Candidate, Digest, Pick
from subscribers.preferences import Strictness

if TYPE_CHECKING:
    from digest.collect.arxiv import Arxiv
    from digest.collect.collector import Collector
    from digest.collect.pictures import PictureFetcher
    from digest.deliver.sentences import Sentences
    from digest.rank.corpora import ReferenceCorpora
    from digest.rank.embedding_store import EmbeddingStore
    from digest.rank.topic_reporter import TopicReporter
    from digest.summaries.chat import Chat
    from digest.summaries.prompts import Prompts
    from digest.summaries.summarizer import Summarizer
    from digest.summaries.topics import TopicTranslator
    from subscribers.own_papers import GivenPapers

log = structlog.get_logger()


class PaperParts(MailParts):
    """The objects of papers: sources, the reference corpus, models."""

    def sources(self) -> list[Source]:
        """Return the sources of DIGEST_SOURCES. Raises SourceError if one is not installed."""
        return find_sources(self.settings.sources, self.settings, self.http)

    @cached_property
    def arxiv(self) -> Arxiv:
        """The arXiv source, for look-ups by id."""
        from digest.collect.arxiv import source

        return source(self.settings, self.http)

    @cached_property
    def picture_fetcher(self) -> PictureFetcher | None:
        """Return the fetcher of pictures of papers; None if they are not wanted."""
        from digest.collect.pictures import PictureFetcher

        settings = self.settings
        if not settings.pictures:
            return None
        return PictureFetcher(settings.huggingface_url, timeout=settings.http_timeout)

    @cached_property
    def collector(self) -> Collector:
        from digest.collect.collector import Collector
        from digest.collect.own_papers import OwnPapersLookUp
        from digest.collect.pictures import collect_pictures
        from digest.collect.semantic_scholar import SemanticScholar

        key = self.settings.semantic_scholar_key
        look_up = SemanticScholar(self.http, key).look_up if key else None
        fetcher = self.picture_fetcher
        pictures = partial(collect_pictures, self.ledger, fetcher) if fetcher else None
        own = OwnPapersLookUp(
            self.registry.own_papers,
            self.ledger.papers,
            lambda ids, now: self.arxiv.look_up(ids, now),  # noqa: PLW0108  made if it is used
        )
        return Collector(
            self.ledger,
            self.sources,
            self.edition_day,
            look_up,
            pictures,
            own_papers=own.run,
            index=self._read_new_papers,
        )

    def read_papers(self, given: str | bytes, now: datetime) -> GivenPapers:
        """Read the papers in what a reader gives."""
        from digest.collect.own_papers import read_own_papers

        return read_own_papers(self.ledger.papers, given, now)

    def _read_new_papers(self) -> None:
        """Read new papers into the full-text index: else searches see only the newest ones."""
        from digest.rank.index_words import VERSION, index_words

        try:
            self.ledger.search_index.catch_up(VERSION, index_words)
        except SQLAlchemyError as error:  # the papers themselves are kept, and can be sent
            log.error("papers could not be read into the search index", why=str(error))

    @cached_property
    def corpora(self) -> ReferenceCorpora:
        from digest.rank.corpora import ReferenceCorpora

        cache = self.settings.home / "cache"
        return ReferenceCorpora(self.ledger.papers, self.embedder, cache, self.built_corpus)

    @property
    def built_corpus(self) -> Path:
        """The reference corpus that `digest corpus build` makes."""
        return self.settings.home / "reference-corpus.npz"

    @cached_property
    def embedder(self) -> EmbeddingStore | None:
        """The model for semantic ranking; None if there is none. Raises SettingError."""
        from digest.rank.embedding import find_embedder
        from digest.rank.embedding_store import EmbeddingStore
        from digest.rank.model_files import installed_in

        model = self.settings.semantic_model or installed_in(self.models)
        if model is None:
            return None
        found = find_embedder(str(model), fetch=self.settings.semantic_fetch)
        return EmbeddingStore(found, self.settings.home)

    @property
    def models(self) -> Path:
        """The folder of the models that `digest model install` installs."""
        return self.settings.home.resolve() / "models"

    @cached_property
    def topic_reporter(self) -> TopicReporter:
        """Return the reporter of which papers of the last days a topic would have matched."""
        from digest.rank.topic_reporter import TopicReporter

        strictness = Strictness(self.settings.strictness)
        return TopicReporter(
            self.ledger, self.corpora.current, self.embedder, strictness, self._topic_translator
        )

    @property
    def _topic_translator(self) -> TopicTranslator | None:
        from digest.summaries.topics import TopicTranslator

        if not self.settings.summaries_topics or not self.chat:
            return None
        return TopicTranslator(self.settings, self.ledger, self.chat, self.prompts, self.clock)

    @cached_property
    def chat(self) -> Chat | None:
        """The language model; None if none is set. Raises SettingError."""
        if self.settings.summaries_url is None:
            return None
        from digest.summaries.chat import chat_of

        return chat_of(self.settings, self.snapshots)

    @cached_property
    def prompts(self) -> Prompts:
        from digest.summaries.prompts import Prompts

        return Prompts(self.templates)

    @cached_property
    def summarizer(self) -> Summarizer:
        """Return what has papers summarized, if there is a ``chat``."""
        from digest.summaries.summarizer import Summarizer

        assert self.chat
        return Summarizer(self.settings, self.ledger, self.chat, self.prompts)

    def _summarize(
        self, edition: int, digests: Sequence[tuple[str | None, Sequence[Pick]]], now: datetime
    ) -> None:
        in_languages = [(self.language_of(locale), picks) for locale, picks in digests]
        self.summarizer.summarize(edition, in_languages, now)

    @cached_property
    def sentences(self) -> Sentences | None:
        """Return what adds a model's sentences to digests; None if no model is set."""
        from digest.deliver.sentences import Sentences

        if self.settings.summaries_url is None:
            return None
        return Sentences(self.ledger.summaries, self.language_of)

    def with_sentences(self, digest: Digest | None) -> Digest | None:
        """Return a digest with a model's sentences, if a model is set."""
        return self.sentences.added({0: digest})[0] if digest and self.sentences else digest

    def told(self, papers: Sequence[Candidate], language: str) -> Sequence[Candidate]:
        """Return papers with a model's sentences in a language, if a model is set."""
        if self.settings.summaries_url is None:
            return papers
        return self.ledger.summaries.told(papers, language)

"""The readers of outside input: what they are given, and what they may raise."""

import gzip
import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

from hypothesis import strategies as st
from pydantic import ValidationError

from digest.checks.sources import check_sources
from digest.collect.answer_reader import Reading
from digest.collect.biorxiv import read_rows, rows_in
from digest.collect.feeds import read_any_feed
from digest.collect.file import read_content
from digest.collect.http import LARGEST_ANSWER, _unpacked, asked_to_wait
from digest.collect.merge import merge
from digest.collect.picture_encoding import MOST_LARGE, MOST_SMALL, PictureError, encode
from digest.compose.view import DigestView
from digest.doctor.dmarc import judge_dmarc
from digest.doctor.spf import judge_spf
from digest.errors import InboxError, SettingError, SourceError
from digest.inbound.diagnostics import table_with
from digest.inbound.webhook_events import READERS as SERVICES
from digest.model.summaries import Tokens
from digest.model.text import LONGEST_TITLE, clean, clean_url
from digest.rank.rank_files import read_papers, read_topics
from digest.settings.imap_folder import imap_folder
from digest.settings.reading import read_settings
from digest.summaries.answers import Source, judge
from digest.summaries.chat import Prompt, read_answer
from subscribers.addresses import AddressPolicy, mailbox_key
from subscribers.errors import AddressError, PreferenceError, TopicError
from subscribers.importing import Told
from subscribers.preferences import Preferences
from subscribers.preferences_form import PreferencesForm
from subscribers.records import Remark, decode, read_records
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics, split_topics
from subscribers.transfer import ImportRow, read_people, sayable
from subscribers.web.api_model import NewSubscriber, SentPreferences
from subscribers.web.damaged_links import repaired
from tests.fuzz.common import (
    FOLDER,
    PERSON,
    TOKENS,
    Reader,
    as_json,
    files,
    read_token,
)
from tests.fuzz.mail import (
    EVENTS,
    HEADERS,
    IMAP,
    MAILS,
    REPLIES,
    read_events,
    read_imap,
    read_mail,
    read_mbox,
    read_replies,
    take_webhook,
)
from tests.fuzz.mutations import mutated, mutated_text
from tests.painting import drawn, file_of
from tests.support import NOW, TODAY

# ---- sources -------------------------------------------------------------------------------------


def _read_answer(body: bytes) -> None:
    reading = Reading("fuzz", NOW, fallback_day=TODAY)
    merge((), read_content(body, reading).sightings)


def _read_feed(body: bytes) -> None:
    merge((), read_any_feed(body, Reading("fuzz", NOW, day=TODAY), "fuzz").sightings)


def _read_preprints(body: bytes) -> None:
    reading = Reading("fuzz", NOW, fallback_day=TODAY)
    merge((), read_rows(rows_in(body, "fuzz"), reading, "biorxiv").sightings)


PREPRINTS = as_json(
    {"messages": [{"status": "ok", "cursor": "0", "count": 2, "total": "99"}], "collection": [
        {"title": "Ducks dive", "authors": "Duck, A. B.; Goose, G.; ", "doi": "10.1101/2026.02.20.1",
         "date": "2026-02-20", "version": "1", "category": "ecology", "abstract": "We let them."},
        {"title": "Ducks dive", "doi": "10.1101/2026.02.20.1", "version": "2", "type": "new"}]},
)  # fmt: skip


def _read_completion(body: bytes) -> None:
    reply = read_answer(body, Tokens(1, 1))
    _, said = judge(reply, Source("Ducks dive", "We let 12 of them."), "de", Prompt("", ""))
    for text in (said.text, said.title):
        assert text.isprintable() or set(text) & set("\u200c\u200d")
        assert not re.search(r"https?://|<script", text)


COMPLETIONS = as_json(
    *(
        {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
         "usage": {"prompt_tokens": 400, "completion_tokens": 50}}
        for text in (
            "SENTENCE: Die Forscher haben 12 Enten tauchen lassen.\nTITLE: Enten tauchen",
            "<think>Hm.</think> **Enten** [tauchen](https://a.example) `gern` <script>x</script>",
        )
    )
)  # fmt: skip


def _unpack(body: bytes) -> None:
    size = 0
    for piece in _unpacked([body[:100], body[100:]], "gzip", "fuzz"):
        size += len(piece)
        if size > LARGEST_ANSWER:
            raise SourceError("larger than allowed")


def _clean(text: str) -> None:
    title = clean(text, LONGEST_TITLE)
    assert len(title) <= LONGEST_TITLE
    assert "\n" not in title
    title.encode()
    clean_url(text)


TITLES = [
    r"$\mathcal{O}(n^{2})$ for {B}ayesian \emph{na\"ive} \textbf{models}, Erd\H{o}s \& R\'enyi",
    r"the \"black box\" problem \(x^2\) \[y_1\] don\'t &amp;lt; <i>p</i> in n<p and q>1",
    r"\href{https://x.example}{a} \begin{equation} \frac{1}{2} \end{equation} 100\% $\alpha",
]

# ---- subscribers ---------------------------------------------------------------------------------

PEOPLE = [
    b'email,topics,consent,timezone,hour\nada@example.org,"a;b",confirmed,Europe/Oslo,7\n,,,,\n',
    b"sep=;\nEmail Address;Topics\nada@example.org;x\\;y\n'=bob@example.org;-1\n",
    "email\ttopics\nada@example.org\tü\n".encode("utf-16"),
    (b'{"email": "ada@example.org", "topics": ["a"], "consent": "confirmed", "since": "2026-01-01",'
    b' "evidence": [{"event": "asked", "at": "2026-01-01T00:00:00Z", "source": "x"}], "hour": "7",'
    b' "opinions": [{"paper": "arxiv:1", "verdict": "more", "at": "2026-01-01"}], "suppressed":'
    b' {"reason": "operator", "at": "2026-01-01"}}\n{"email": "b@x.org", "cadence": "mon+thu"}\n'),
]  # fmt: skip


def _read_people(content: bytes) -> None:
    encoding, lines = decode(BytesIO(content))
    form, records = read_records(lines)
    admit = AddressPolicy(lambda: True).admit
    for row in read_people(records, source="fuzz", now=NOW, admit=admit):
        if isinstance(row, Remark):
            Told(row.code, row.what, row.line).said().encode()
        elif not isinstance(row, ImportRow):
            sayable(str(row.why)).encode()
    form.encode()
    encoding.encode()


TOPICS = [
    '("video generation" OR agents) AND -medical author:"Jane Doe" votes>=5 category:cs.CL',
    "a;b\\;c; -x; NOT (y OR z)", 'title:"x" year<2024 vote>1e9',
]  # fmt: skip


def _read_topics(text: str) -> None:
    for topic in parse_topics(split_topics(text)):
        assert parse_topics([topic.text])[0].text == topic.text


def _read_address(text: str) -> None:
    mailbox_key(AddressPolicy(lambda: True).admit(text))


def _read_form(fields: Mapping[str, list[str]]) -> None:
    PreferencesForm().filled(fields).read(Preferences())


FIELDS = st.sampled_from(
    "topic topics exclusion exclusions cadence days at timezone max_papers min_papers strictness "
    "trending note_when_nothing pictures email website".split()
)
VALUES = [
    "mon",
    "chosen",
    "8:30",
    "Europe/Oslo",
    "3",
    "strict",
    "2026-03-01",
    "on",
    "a\nb",
    *TOPICS,
]

API = as_json(
    {"email": "ada@example.org", "topics": ["robots"], "consent": "vouched", "at": "8:30"},
    {"cadence": "mon+thu", "max_papers": 3, "trending": True, "paused_until": "2026-03-01"},
    {"email": "a@x.org", "exclusions": ["x"], "timezone": "Asia/Tokyo", "locale": "pt-BR"},
)


def _read_api(body: bytes) -> None:
    for model in (NewSubscriber, SentPreferences):
        sent = model.model_validate_json(body)
        Preferences.from_json(sent.model_dump(exclude={"topics", "email", "consent"}))
        parse_topics(sent.topics)


def _repair(path: str) -> None:
    for prefix in ("", "/digest"):
        found = repaired(path, prefix)
        read_token(found.rpartition("/")[2])


LINKS = [f"/{purpose}/{TOKENS.make(purpose, PERSON)}" for purpose in Purpose]
LINKS += [f"/digest{LINKS[0]}&utm_source=x=3D", TOKENS.make_until(Purpose.CONFIRM, PERSON, NOW)]

# ---- the operator's own files, and the DNS -------------------------------------------------------

ENV = [(
    b"# comment\nDIGEST_FROM=digest@example.org\nexport DIGEST_SECRET='a b'\n"
    b'DIGEST_POSTAL_ADDRESS="x\\ny"\nDIGEST_TRANSPORT=smtp+starttls://u:p%40@h:587\n'
    b"DIGEST_INBOX=imaps://u:p@h/INBOX\nDIGEST_SEND_WINDOW=06:00-22:00\nDIGEST_RUN_AT=8:00\n"
    b"DIGEST_BASE_URL=https://example.org/d\nDIGEST_DATABASE=postgresql://u:p@h/d?x=1\n"
)]  # fmt: skip


def _read_env(content: bytes) -> None:
    file = FOLDER / "env"
    file.write_bytes(content)
    _, origins = read_settings({}, file)
    for origin in origins:
        _ = origin.shown, origin.secrets


def _read_variable(setting: tuple[str, str]) -> None:
    name, value = setting
    read_settings({name: value})


def _variables() -> Iterator[str]:
    for line in Path("config.example.env").read_text(encoding="utf-8").splitlines():
        name, is_setting, _ = line.lstrip("# ").partition("=")
        if is_setting and name.startswith("DIGEST_") and name.isupper():
            yield name


def _read_rules(content: bytes) -> None:
    file = FOLDER / "rules.toml"
    file.write_bytes(content)
    table_with(file)


def _check_template(content: bytes) -> None:
    (FOLDER / "body.mjml.j2").write_bytes(content)
    check_sources([FOLDER], "body.mjml.j2", DigestView)


def _judge_dns(text: str) -> None:
    def texts(_name: str) -> list[str]:
        return text.split("\n")

    judge_spf("example.org", texts)
    judge_dmarc("example.org", "b.example.org", texts, is_signed=True)


DNS = [
    "v=spf1 include:_spf.x.org ip4:192.0.2.0/24 ip6:2001:db8::/32 a mx redirect=y.org -all",
    "v=DMARC1; p=reject; sp=none; rua=mailto:a@x.org!10m; adkim=s; aspf=r; pct=50; t=y; psd=n\nx",
]
RANKING = as_json(
    {"id": "1", "title": "x", "abstract": "y", "upvotes": 3, "keywords": ["a"], "authors": ["b"],
     "categories": ["cs.CL"], "published": "2026-01-01", "filter": "a OR b", "likes": ["1"]},
)  # fmt: skip


def _read_ranking(content: bytes) -> None:
    lines = content.decode(errors="replace").splitlines()
    read_papers(lines, "fuzz")
    read_topics(lines, "fuzz")


RULES = [b"".join(
    (Path(__file__).parents[2] / "digest" / "inbound" / "diagnostics.toml").read_bytes()
    .splitlines(keepends=True)[:60]
)]  # fmt: skip
TEMPLATES = [
    path.read_bytes() for path in Path("templates/mail").rglob("*.j2") if path.stat().st_size
]

PICTURES = [
    file_of(drawn((300, 200)), "PNG"),
    file_of(drawn((300, 200)), "JPEG"),
    file_of(drawn((300, 200)), "WEBP"),
    file_of(drawn((300, 200), "RGBA"), "WEBP", lossless=True),
    file_of(drawn((300, 200)).convert("P"), "PNG", optimize=True),
    file_of(drawn((300, 200)), "JPEG", progressive=True),
    b"<svg xmlns='http://www.w3.org/2000/svg' width='300' height='200'/>",
]


def _encode(octets: bytes) -> None:
    made = encode(octets)
    assert len(made.large) <= MOST_LARGE
    assert len(made.small) <= MOST_SMALL


READERS: dict[str, Reader] = {
    "arxiv": Reader(_read_answer, mutated(files("arxiv/*")), (SourceError,)),
    "feeds": Reader(_read_feed, mutated(files("feeds/*", "arxiv/*.xml")), (SourceError,)),
    "preprints": Reader(_read_preprints, mutated(PREPRINTS), (SourceError,)),
    "huggingface": Reader(_read_answer, mutated(files("huggingface/*")), (SourceError,)),
    "saved-page": Reader(_read_answer, mutated(files("saved_pages/*")), (SourceError,)),
    "unpacking": Reader(_unpack, mutated([gzip.compress(b"x" * 9999)]), (SourceError,)),
    "completions": Reader(_read_completion, mutated(COMPLETIONS)),
    "pictures": Reader(_encode, mutated(PICTURES), (PictureError,)),
    "retry-after": Reader(
        lambda headers: asked_to_wait(headers, NOW),
        st.dictionaries(
            st.sampled_from(["retry-after", "ratelimit", "ratelimit-reset", "ratelimit-remaining"]),
            mutated_text(["120", "Fri, 20 Feb 2026 08:00:00 GMT", '"a";r=0;t=30', "0"]),
        ),
    ),
    "text": Reader(_clean, mutated_text(TITLES)),
    "mail": Reader(read_mail, mutated(MAILS)),
    "mbox": Reader(
        read_mbox, mutated([b"From x\n" + b"\nFrom x\n".join(MAILS[:5])]), (InboxError,)
    ),
    "imap": Reader(read_imap, mutated(IMAP), (InboxError,)),
    "replies": Reader(read_replies, mutated(REPLIES), (OSError,)),
    "webhooks": Reader(
        take_webhook,
        st.tuples(
            st.sampled_from([*SERVICES, "other"]),
            st.dictionaries(HEADERS, mutated_text(["Bearer x", "Basic eDp5", "sha256=00"])),
            mutated(EVENTS),
        ),
    ),
    "webhook-events": Reader(read_events, mutated(EVENTS)),
    "import": Reader(_read_people, mutated(PEOPLE)),
    "topics": Reader(_read_topics, mutated_text(TOPICS), (TopicError,)),
    "addresses": Reader(
        _read_address,
        mutated_text(["ada@example.org", "Ann <a@x.org>", "mailto:a@x.org.", '"a b"@ü.example']),
        (AddressError,),
    ),
    "forms": Reader(
        _read_form,
        st.dictionaries(FIELDS, st.lists(mutated_text(VALUES), max_size=4)),
        (PreferenceError, TopicError),
    ),
    "api": Reader(_read_api, mutated(API), (ValidationError, PreferenceError, TopicError)),
    "links": Reader(_repair, mutated_text(LINKS)),
    "env": Reader(_read_env, mutated(ENV), (SettingError,)),
    "settings": Reader(
        _read_variable,
        st.tuples(st.sampled_from(list(_variables())), mutated_text(ENV[0].decode().split("\n"))),
        (SettingError,),
    ),
    "mailbox-urls": Reader(
        imap_folder, mutated_text(["imaps://u:p%40@h:993/A%2FB", "imap+starttls://u:p@[::1]"]),
        (ValueError,),
    ),
    "rules": Reader(_read_rules, mutated(RULES), (SettingError,)),
    "templates": Reader(_check_template, mutated(TEMPLATES)),
    "dns": Reader(_judge_dns, mutated_text(DNS)),
    "ranking": Reader(_read_ranking, mutated(RANKING)),
}  # fmt: skip

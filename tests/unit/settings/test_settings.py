"""Settings: where each comes from, what is refused, and what is never shown."""

from dataclasses import fields
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import SettingError
from digest.settings.example import descriptions, example_env
from digest.settings.reading import Origin, read_settings
from digest.settings.settings import Settings, variable
from digest.settings.values import NEW_KEY

ROOT = Path(__file__).parents[3]
DOTS = "••••••••"

# Of every setting a value that is not its default, and a third one.
VALUES = {
    "home": ("/srv/a", "/srv/b"),
    "database_url": ("sqlite:///a.sqlite3", "postgresql+psycopg://ada:pw@db/digest"),
    "instance": ("ada/digests", "lab"),
    "engine": ("cluster", "embedded"),
    "worker_silence": ("30", "90"),
    "keep_snapshots_days": ("1", "3650"),
    "keep_pictures_days": ("45", "3650"),
    "keep_deliveries_days": ("60", "3650"),
    "keep_evidence_days": ("30", "36500"),
    "keep_unconfirmed_days": ("1", "365"),
    "transport": ("smtp://localhost:2525", "file:///srv/outbox"),
    "smtp_ca_file": ("a.pem", "b.pem"),
    "smtp_timeout": ("5", "7.5"),
    "smtp_greeting_timeout": ("5", "7.5"),
    "smtp_mail_timeout": ("5", "7.5"),
    "smtp_rcpt_timeout": ("5", "7.5"),
    "smtp_data_timeout": ("5", "7.5"),
    "smtp_block_timeout": ("5", "7.5"),
    "smtp_end_timeout": ("5", "7.5"),
    "send_processes": ("2", "3"),
    "send_connections": ("2", "3"),
    "connection_messages": ("2", "3"),
    "rate": ("10", "0.5"),
    "rate_per_connection": ("10", "0.5"),
    "rate_per_domain": ("10", "0.5"),
    "mx_lookups": ("no", "yes"),
    "send_window": ("06:00-22:00", "22:00-06:00"),
    "warm_up_since": ("2026-01-31", "2026-02-01"),
    "warm_up_first": ("50", "100"),
    "resend_uncertain": ("yes", "no"),
    "pause_at_hard_bounces": ("2", "2.5"),
    "pause_at_complaints": ("0.3", "1"),
    "from_": ("a@example.org", "b@example.org"),
    "from_name": ("Papers", "Café Papers"),
    "reply_to": ("a@example.org", "b@example.org"),
    "bounce_address": ("a@example.org", "b@example.org"),
    "verp": ("no", "yes"),
    "unsubscribe_address": ("a@example.org", "b@example.org"),
    "inbox": ("/srv/inbox", "imaps://ada:pw@mail.example.org/Reports"),
    "inbox_every": ("5", "86400"),
    "diagnostics": ("a.txt", "b.txt"),
    "webhook_ses": ("a token for one", "a token for another"),
    "webhook_postmark": ("a token for one", "a token for another"),
    "webhook_sendgrid": ("a token for one", "a token for another"),
    "webhook_mailgun": ("a token for one", "a token for another"),
    "webhook_brevo": ("a token for one", "a token for another"),
    "webhook_generic": ("a token for one", "a token for another"),
    "complaints_address": ("a@example.org", "b@example.org"),
    "dkim_selector": ("2026a", "b.mail"),
    "dkim_key": ("/srv/a.pem", "/srv/b.pem"),
    "dkim_ed25519_selector": ("2026e", "f-1"),
    "dkim_ed25519_key": ("/srv/a.pem", "/srv/b.pem"),
    "base_url": ("https://a.example.org", "http://localhost:8000"),
    "secret": ("a secret one of 32 characters or more", "another one of 32 characters or more"),
    "api_tokens": ("a token for one", "a token for another"),
    "metrics_tokens": ("a token for one", "a token for another"),
    "refused_domains": ("a.txt", "b.txt"),
    "sign_ups_per_hour": ("1", "1000000"),
    "proof_of_work": ("yes", "no"),
    "embed_origins": ("https://a.example.org", "HTTPS://B.example.org:443, http://[::1]:8080"),
    "trusted_proxies": ("10.0.0.0/8", "172.16.0.1, fd00::/8"),
    "keep_client_addresses": ("yes", "no"),
    "postal_address": ("1 Street, Oslo", "2 Street, Oslo"),
    "templates": ("a", "b"),
    "link_hosts": ("arxiv.org", "arxiv.org,huggingface.co"),
    "language": ("de", "pt-BR"),
    "first_digest": ("no", "yes"),
    "welcome": ("no", "yes"),
    "goodbye": ("yes", "no"),
    "studio_password": ("open sesame", "another one"),
    "operator": ("a@example.org", "b@example.org"),
    "ping_url": ("https://hc-ping.com/a", "https://ping.example.org/b"),
    "log_format": ("lines", "json"),
    "log_addresses": ("yes", "no"),
    "header_image": ("https://a.example.org/a.png", "https://b.example.org/b.png?c=1"),
    "header_image_size": ("600x100", "1200x240"),
    "pictures": ("no", "yes"),
    "sources": ("arxiv", "huggingface,arxiv"),
    "huggingface_url": ("https://a.example.org", "http://b.example.org"),
    "huggingface_lists": ("trending", "week, month"),
    "arxiv_feed_url": ("https://a.example.org", "http://b.example.org"),
    "arxiv_feed": ("atom", "rss"),
    "arxiv_categories": ("cs.LG", "math.GT+cs.LG"),
    "arxiv_api_url": ("https://a.example.org", "http://b.example.org"),
    "arxiv_interval": ("5", "4.5"),
    "biorxiv_url": ("https://a.example.org", "http://b.example.org"),
    "biorxiv_categories": ("neuroscience", "cell biology,ecology"),
    "medrxiv_categories": ("oncology", "oncology,neurology"),
    "feeds": ("a=https://a.example.org/rss", "a=http://a.example.org b-2=https://b.example.org"),
    "semantic_scholar_key": ("first-key", "second-key"),
    "http_timeout": ("5", "7.5"),
    "http_attempts": ("1", "10"),
    "lookback_days": ("0", "30"),
    "timezone": ("Europe/Oslo", "Asia/Tokyo"),
    "run_at": ("07:30", "23:59"),
    "collect_every_hours": ("1", "24"),
    "enough_papers": ("0", "1000"),
    "wait_for_sources": ("0", "720"),
    "stale_after_hours": ("1", "720"),
    "max_for_you": ("1", "15"),
    "max_trending": ("0", "15"),
    "max_rising": ("0", "15"),
    "rising_days": ("0", "30"),
    "strictness": ("strict", "broad"),
    "semantic_model": ("/srv/model", "somebody/some-model"),
    "semantic_fetch": ("yes", "no"),
    "summaries_url": ("http://localhost:11434/v1", "https://api.example.org/v1"),
    "summaries_key": ("first-key", "second-key"),
    "summaries_model": ("qwen2.5:7b-instruct", "some/model"),
    "summaries_prices": ("0.15/0.60", "3/15"),
    "summaries_cost_per_day": ("1.5", "20"),
    "summaries_tokens_per_day": ("10000", "20000"),
    "summaries_at_once": ("1", "8"),
    "summaries_timeout": ("5", "60"),
    "summaries_deadline": ("10", "300"),
    "summaries_topics": ("yes", "no"),
}
NAMES = [row.name for row in fields(Settings)]
SECRETS = [row.name for row in fields(Settings) if row.metadata["secret"]]

MALFORMED = {
    "home": ["~nobody-of-this-name/var"],
    "database_url": ["hush", "mysql://localhost/x", "postgresql+psycopg://u:hush@h:port/x"],
    "instance": ["a\nb"],
    "engine": ["Cluster", "celery", "yes"],
    "worker_silence": ["2", "3601", "a minute"],
    "keep_snapshots_days": ["0", "3651"],
    "keep_pictures_days": ["44", "3651"],
    "keep_deliveries_days": ["59", "3651"],
    "keep_evidence_days": ["29", "36501"],
    "keep_unconfirmed_days": ["0", "366"],
    "transport": [
        "localhost",
        "http://h",
        "smtp://",
        "file://",
        "smtp://u:hush@h:p",
        "smtp://[x",
        "maildir:",
        "maildir:mail",
        "maildir://host/mail",
        "maildir:/mail?a",
        "sendmail:",
        "sendmail:sendmail",
        "sendmail:/",
        "sendmail:/usr/sbin/sendmail#-t",
        "lmtp://",
        "lmtp:///",
        "lmtp:socket",
        "lmtp://h",
        "lmtp://h:0",
        "lmtp://h:p",
        "lmtp://h:24/socket",
        "lmtp://u:hush@h:24",
        "lmtp://u@h:24",
    ],
    "smtp_ca_file": ["/no/such/file", "/"],
    "smtp_timeout": ["soon", "0", "901", "-1", "nan", "inf"],
    "smtp_greeting_timeout": ["soon", "0", "3601"],
    "smtp_mail_timeout": ["soon", "0", "3601"],
    "smtp_rcpt_timeout": ["soon", "0", "3601"],
    "smtp_data_timeout": ["soon", "0", "3601"],
    "smtp_block_timeout": ["soon", "0", "3601"],
    "smtp_end_timeout": ["soon", "0", "3601"],
    "send_processes": ["0", "65", "two"],
    "send_connections": ["0", "501", "two"],
    "connection_messages": ["0", "100001", "two"],
    "rate": ["0", "-1", "fast", "nan"],
    "rate_per_connection": ["0", "-1", "fast", "nan"],
    "rate_per_domain": ["0", "-1", "fast", "nan"],
    "mx_lookups": ["maybe", "1"],
    "send_window": ["06:00", "6-22", "06:00-06:00", "06:00-22:00-23:00", "06:00-25:00"],
    "warm_up_since": ["today", "2026-02-30", "31.1.2026"],
    "warm_up_first": ["0", "1000001", "few"],
    "resend_uncertain": ["maybe", "1"],
    "pause_at_hard_bounces": ["0", "101", "many"],
    "pause_at_complaints": ["0", "101", "many"],
    "from_": [
        "digest",
        "a@b@c",
        "jos\u00e9@example.org",
        "Ada <ada@example.org>",
        "a@example.org\r\nBcc: b@example.org",
    ],
    "from_name": ["a\nb", "a\x00b", "a\x7fb", "a\x85b", "a\u2028b"],
    "reply_to": ["nobody"],
    "bounce_address": ["nobody"],
    "verp": ["maybe", "1"],
    "unsubscribe_address": ["nobody"],
    "inbox": [
        "~nobody-of-this-name/inbox",
        "pop3://u:hush@h/INBOX",
        "imaps://h/INBOX",
        "imaps://u@h/INBOX",
        "imaps://u:hush@/INBOX",
        "imaps://u:hush@h:port/INBOX",
        "imaps://u:hu/sh@h/INBOX",
        "imaps://u:12#sh@h/INBOX",
        "imaps://u:hush@h/a?b",
        "imaps://u:hush@h/a%0D%0Ab",
        "imaps://u:hush%0D%0Aa@h/INBOX",
        "imaps://u:hush@h/Entwürfe",
        "imaps://u:hush@[x/INBOX",
        "imap://u:hush@mail.example.org/INBOX",
    ],
    "inbox_every": ["4", "86401", "often"],
    "diagnostics": ["/no/such/file", "/"],
    "webhook_ses": ["short", "long enough, short"],
    "webhook_postmark": ["short", "long enough, short"],
    "webhook_sendgrid": ["short", "long enough, short"],
    "webhook_mailgun": ["short", "long enough, short"],
    "webhook_brevo": ["short", "long enough, short"],
    "webhook_generic": ["short", "long enough, short"],
    "complaints_address": ["nobody"],
    "dkim_selector": ["a b", "a_b", "-a", "a-", "a..b", ".a", "a.", "a;b", "ä", "a" * 64, "a\n"],
    "dkim_key": ["~nobody-of-this-name/key.pem"],
    "dkim_ed25519_selector": ["a b"],
    "dkim_ed25519_key": ["~nobody-of-this-name/key.pem"],
    "base_url": [
        "digest.example.org",
        "http://digest.example.org",
        "ftp://digest.example.org",
        "https://",
        "https://digest.example.org/?a=1",
        "https://digest.example.org/#here",
        "https://ada:pw@digest.example.org",
        "https://bücher.example",
        "https://digest.example.org/a b",
        "https://digest.example.org/\r\nBcc: x@y.z",
        "https://digest.example.org/>, <https://evil.example",
        "https://digest.example.org/" + "x" * 500,
        "https://[x",
    ],
    "secret": ["short", "x" * 31, f"{'x' * 32}, short", f"{'x' * 32},", f"{'x' * 31},{'x' * 32}"],
    "api_tokens": ["short", "long enough, short", "long enough,"],
    "metrics_tokens": ["short", "long enough, short", "long enough,"],
    "refused_domains": ["/no/such/file", "/", "a", "no-domains.txt"],
    "sign_ups_per_hour": ["0", "1000001"],
    "proof_of_work": ["maybe", "1"],
    "embed_origins": [
        ",",
        "*",
        "null",
        "a.example.org",
        "ftp://a.example.org",
        "https://a.example.org/",
        "https://a.example.org, https://b.example.org/blog",
        "https://a.example.org https://b.example.org",
        "https://*.example.org",
        "https://ada:pw@a.example.org",
        "https://a.example.org:0",
        "https://a.example.org:70000",
        "https://b\u00fccher.example",
        "https://[::1",
    ],
    "trusted_proxies": ["proxy", "10.0.0.1/8", "*", "10.0.0.0/8, x"],
    "keep_client_addresses": ["maybe", "1", "yes, please"],
    "postal_address": ["1 Street\nOslo"],
    "templates": ["/no/such/folder"],
    "link_hosts": [",", " , "],
    "language": ["English", "pt_BR", "../../en", "de-"],
    "first_digest": ["soon"],
    "welcome": ["often"],
    "goodbye": ["often"],
    "studio_password": ["a\nb"],
    "operator": ["nobody", "jos\u00e9@example.org"],
    "ping_url": ["hc-ping.com/a", "ftp://ping"],
    "log_format": ["JSON", "text"],
    "log_addresses": ["some", "a@example.org"],
    "header_image": [
        "http://example.org/a.png",
        "header.png",
        "https://",
        'https://example.org/"onload="x',
        "https://example.org/a.png?a?b",
        "https://ada:pw@example.org/a.png",
        "https://example.org/" + "x" * 500,
        "https://[x",
    ],
    "header_image_size": ["600", "0x1", "600 x 100", "-1x5", "99999x1", "٣x٣"],
    "pictures": ["some"],
    "sources": [",", " , "],
    "huggingface_url": ["huggingface.co", "ftp://h", "https://"],
    "huggingface_lists": [",", "year", "trending,year"],
    "arxiv_feed_url": ["arxiv.org"],
    "arxiv_feed": ["RSS", "json"],
    "arxiv_categories": ["cs.AI\tcs.CL"],
    "arxiv_api_url": ["arxiv.org"],
    "arxiv_interval": ["-1", "61", "never"],
    "biorxiv_url": ["biorxiv.org"],
    "biorxiv_categories": [","],
    "medrxiv_categories": [" , "],
    "feeds": [
        " ",
        "https://a.example.org",
        "a=a.example.org",
        "A=https://a.example.org",
        "a=https://a.example.org a=https://b.example.org",
        "arxiv=https://a.example.org",
        "a=https://ada:pw@a.example.org",
    ],
    "semantic_scholar_key": ["a\nb"],
    "http_timeout": ["0", "301", "1,5"],
    "http_attempts": ["0", "11", "2.5", "-1", "²"],
    "lookback_days": ["-1", "31", "many"],
    "timezone": ["Oslo", "UTC+1", "../etc/passwd", "/etc/passwd"],
    "run_at": ["8 o'clock", "24:00", "08:60", "8", "08:00+02:00", "08:00:30"],
    "collect_every_hours": ["0", "25", "1.5"],
    "enough_papers": ["-1", "1001"],
    "wait_for_sources": ["-1", "721"],
    "stale_after_hours": ["0", "721"],
    "max_for_you": ["0", "16", "9" * 5000],
    "max_trending": ["-1", "16"],
    "max_rising": ["-1", "16"],
    "rising_days": ["-1", "31"],
    "strictness": ["0.5", "Strict", "none"],
    "semantic_model": ["a\nb"],
    "semantic_fetch": ["maybe"],
    "summaries_url": ["ftp://a.example", "localhost:1", "https://k:s@a.example", "https://a?k=1"],
    "summaries_key": ["a\nb"],
    "summaries_model": ["a\nb"],
    "summaries_prices": ["1", "-1/2", "1/2/3", "a/b", "1,5/2"],
    "summaries_cost_per_day": ["0", "nan", "-1"],
    "summaries_tokens_per_day": ["999", "1.5", "1000000001"],
    "summaries_at_once": ["0", "65"],
    "summaries_timeout": ["0", "601"],
    "summaries_deadline": ["0", "3601"],
    "summaries_topics": ["maybe"],
}


@pytest.fixture(autouse=True)
def _files_that_settings_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / f"{name}.pem").touch()
        (tmp_path / f"{name}.txt").write_text(f"{name}.example\n", encoding="utf-8")
    (tmp_path / "no-domains.txt").write_text("a.example\nb c\n", encoding="utf-8")


def one_of(environment, name, dotenv=None, **fixed):
    """One setting and its origin."""
    settings, origins = read_settings(environment, dotenv, **fixed)
    origin = next(origin for origin in origins if origin.name == variable(name))
    return getattr(settings, name), origin


def dotenv(text):
    path = Path("test.env")
    path.write_text(text, encoding="utf-8")
    return path


def refusal(environment, env_file=None, **fixed):
    with pytest.raises(SettingError) as caught:
        read_settings(environment, env_file, **fixed)
    return str(caught.value)


# ---- where a value comes from ------------------------------------------------------------------


def test_every_setting_is_tested_here():
    assert list(VALUES) == NAMES
    assert list(MALFORMED) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_default_is_taken_where_nothing_is_said(name):
    value, origin = one_of({}, name)
    assert origin.came_from == "default"
    metadata = next(row.metadata for row in fields(Settings) if row.name == name)
    assert origin.value == metadata["default"]
    assert (value is None) == (metadata["default"] == "")


@pytest.mark.parametrize("name", NAMES)
def test_dotenv_wins_over_the_default(name):
    first, _ = VALUES[name]
    default, _ = one_of({}, name)
    value, origin = one_of({}, name, dotenv(f"{variable(name)}='{first}'\n"))
    assert (origin.value, origin.came_from) == (first, "test.env")
    assert value != default


@pytest.mark.parametrize("name", NAMES)
def test_the_environment_wins_over_dotenv(name):
    first, second = VALUES[name]
    file = dotenv(f"{variable(name)}='{first}'\n")
    value, origin = one_of({variable(name): second}, name, file)
    assert (origin.value, origin.came_from) == (second, "environment")
    assert value != one_of({}, name, file)[0]


@pytest.mark.parametrize("name", NAMES)
def test_the_command_line_wins_over_all(name):
    first, second = VALUES[name]
    _, origin = one_of({variable(name): first}, name, **{name: second})
    assert (origin.value, origin.came_from) == (second, "command line")


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_value_is_none_at_all(name):
    first, _ = VALUES[name]
    file = dotenv(f"{variable(name)}='{first}'\n")
    assert one_of({variable(name): ""}, name, file)[1].value == first
    assert one_of({variable(name): ""}, name)[1].came_from == "default"


def test_values_have_the_types_that_the_program_works_with():
    texts = {variable(name): first for name, (first, _) in VALUES.items()}
    settings, _ = read_settings({**texts, "DIGEST_SECRET": f"{'new' * 11}, the older one"})
    assert settings.home == Path("/srv/a")
    assert settings.smtp_timeout == 5.0
    assert settings.http_attempts == 1
    assert settings.sources == ("arxiv",)
    assert settings.secret == ("new" * 11, "the older one")
    assert settings.api_tokens == ("a token for one",)
    assert settings.refused_domains == {"a.example"}
    assert settings.keep_client_addresses is True
    assert settings.timezone == ZoneInfo("Europe/Oslo")
    assert settings.run_at == time(7, 30)
    assert settings.base_url == "https://a.example.org"


def test_a_slash_at_the_end_of_an_address_is_dropped():
    assert one_of({"DIGEST_BASE_URL": "https://a.example/b/"}, "base_url")[0] == (
        "https://a.example/b"
    )


def test_a_missing_dotenv_is_no_dotenv():
    assert one_of({}, "from_name", Path("missing.env"))[0] == "Paper Digest"


def test_the_database_lies_in_home_unless_told_otherwise():
    for home in ("/srv/papers", "/srv/100%25 papers?", "/srv/#1"):
        settings, _ = read_settings({"DIGEST_HOME": home})
        assert settings.database.database == f"{home}/digest.sqlite3"
    settings, _ = read_settings({"DIGEST_DATABASE_URL": "sqlite:///x"})
    assert settings.database.database == "x"


def test_mail_goes_to_a_folder_in_home_unless_told_otherwise():
    settings, _ = read_settings({"DIGEST_HOME": "/srv/papers"})
    assert settings.transport_url == "file:///srv/papers/outbox"
    assert read_settings({"DIGEST_TRANSPORT": "smtp://h"})[0].transport_url == "smtp://h"


@pytest.mark.parametrize(
    "url",
    [
        "maildir:/srv/mail",
        "maildir:///srv/my%20mail",
        "sendmail:/usr/sbin/sendmail",
        "lmtp://localhost:24",
        "lmtp://[::1]:24/",
        "lmtp:///run/dovecot/lmtp",
    ],
)
def test_mail_may_go_to_the_machine_itself(url):
    assert read_settings({"DIGEST_TRANSPORT": url})[0].transport_url == url


def test_a_transport_of_no_kind_is_told_the_kinds():
    said = refusal({"DIGEST_TRANSPORT": "pigeon://h"})
    for kind in ("smtp", "smtp+starttls", "smtps", "lmtp", "sendmail", "maildir", "file"):
        assert f" {kind}:" in said


# ---- a .env as people write it -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("'a$HOME b'", "a$HOME b"),
        ("a$b${HOME}c", "a$b${HOME}c"),
        ("'one # two'", "one # two"),
        ("one#two", "one#two"),
        ("one # a comment", "one"),
        ('"quoted"', "quoted"),
        ("  padded  ", "padded"),
    ],
)
def test_dollars_and_hashes_in_dotenv(line, value):
    assert one_of({}, "from_name", dotenv(f"DIGEST_FROM_NAME={line}\n"))[0] == value


def test_dotenv_with_comments_exports_and_other_programs_names():
    file = dotenv("# ours\nexport DIGEST_FROM_NAME=Papers\n\nPATH=/bin\nCOMPOSE_PROJECT=x\n")
    assert one_of({"HOME": "/root"}, "from_name", file)[0] == "Papers"


# ---- secrets -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_may_stand_in_a_file(name):
    first, _ = VALUES[name]
    Path("hidden").write_text(f"\n{first}\n", encoding="utf-8")
    _, origin = one_of({f"{variable(name)}_FILE": "hidden"}, name)
    assert (origin.value, origin.came_from) == (first, "environment, hidden")


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_said_outright_wins_over_its_file(name):
    first, _ = VALUES[name]
    environment = {variable(name): first, f"{variable(name)}_FILE": "missing"}
    assert one_of(environment, name)[1].value == first


def test_the_environments_file_wins_over_dotenv():
    Path("hidden").write_text("from the file " * 3, encoding="utf-8")
    file = dotenv("DIGEST_SECRET='from dotenv'\n")
    assert one_of({"DIGEST_SECRET_FILE": "hidden"}, "secret", file)[0] == (
        ("from the file " * 3).strip(),
    )


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SECRETS])
def test_only_secrets_may_stand_in_a_file(name):
    said = refusal({f"{variable(name)}_FILE": "a.pem"})
    assert f"{variable(name)}_FILE is not a setting" in said


@pytest.mark.parametrize("file", ["missing", "a", "latin1", "~nobody-of-this-name/x", "a\0b"])
def test_a_file_that_cannot_be_read_is_named(file):
    Path("latin1").write_bytes(b"caf\xe9 au lait")
    said = refusal({"DIGEST_SECRET_FILE": file})
    assert said.startswith("DIGEST_SECRET_FILE is ")
    assert "cannot be read" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("SECRET", f"correct horse {'x' * 32}", DOTS),
        ("SECRET", f"first correct {'x' * 32}, then horse", DOTS),
        ("SECRET", f"correct://horse-battery-{'x' * 32}", DOTS),
        ("TRANSPORT", "smtp://host:25", "smtp://host:25"),
        ("TRANSPORT", "lmtp://host:24", "lmtp://host:24"),
        ("TRANSPORT", "smtps://ada:horse@host", f"smtps://ada:{DOTS}@host"),
        ("TRANSPORT", "smtp+starttls://a%40b:horse@h:587/", f"smtp+starttls://a%40b:{DOTS}@h:587/"),
        ("TRANSPORT", "smtp://ada:ho@rse@host", DOTS),
        ("DATABASE_URL", "postgresql+psycopg://ada:horse@db/x", f"postgresql+psycopg://ada:{DOTS}@db/x"),
        ("DATABASE_URL", "postgresql+psycopg://db/x?password=horse", DOTS),
        ("DATABASE_URL", "postgresql+psycopg://ada:horse@[db/x", f"postgresql+psycopg://ada:{DOTS}@[db/x"),
    ],
)  # fmt: skip
def test_secrets_are_not_shown(name, value, shown):
    settings = {f"DIGEST_{name}": value}
    _, origin = one_of(settings, name.lower())
    assert origin.value == value
    assert origin.shown == shown


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresql+psycopg://ada:pa@ss/w@db/papers"),
        ("TRANSPORT", "smtp://ada:pa/ss@mail.example.org:587"),
        ("TRANSPORT", "smtp+starttls://ada:12/34@mail.example.org:587"),
        ("TRANSPORT", "smtps://ada:pa?ss@mail.example.org"),
        ("TRANSPORT", "smtp://ada:pa#ss@mail.example.org"),
        ("INBOX", "imaps://ada:pa#ss@mail.example.org/INBOX"),
        ("INBOX", "imaps://ada:pa/ss@mail.example.org/INBOX"),
    ],
)
def test_a_password_that_ends_a_url_is_to_be_percent_encoded(name, url):
    said = refusal({f"DIGEST_{name}": url})
    assert "percent-encode them: %2F for /" in said
    assert "pa" not in said.partition("expected a password")[0].replace("papers", "")
    encoded = (
        url.replace("pa/ss", "pa%2Fss").replace("12/34", "12%2F34").replace("pa?ss", "pa%3Fss")
    )
    encoded = encoded.replace("pa#ss", "pa%23ss").replace("pa@ss/w", "pa%40ss%2Fw")
    read_settings({f"DIGEST_{name}": encoded})


@given(st.text(alphabet=st.characters(exclude_characters="•"), min_size=1))
def test_no_secret_is_ever_shown(text):
    origin = Origin("DIGEST_SECRET", f"x{text}-horse", "environment", secret=True)
    assert "horse" not in origin.shown


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"]), min_size=1))
def test_no_password_in_a_url_is_ever_shown(password):
    origin = Origin("DIGEST_TRANSPORT", f"smtp://ada:{password}horse@host", "environment", True)
    assert "horse" not in origin.shown


def test_other_settings_are_shown():
    assert one_of({"DIGEST_FROM_NAME": "Papers"}, "from_name")[1].shown == "Papers"


def test_a_secret_that_is_not_set_shows_as_nothing():
    assert one_of({}, "secret")[1].shown == ""


# ---- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(name, value, id=f"{name}-{number}")
        for name, values in MALFORMED.items()
        for number, value in enumerate(values)
    ],
)
def test_a_malformed_value_is_one_line_naming_the_variable(name, value):
    said = refusal({variable(name): value})
    assert said.startswith(f"{variable(name)} ")
    assert said.endswith("(environment)")
    assert len(said.splitlines()) == 1
    if name in SECRETS:
        assert f"{value!r}" not in said
        assert "hush" not in said
        assert "short" not in said
    else:
        assert repr(value) in said


def test_a_malformed_value_in_dotenv_names_the_file():
    assert refusal({}, dotenv("DIGEST_MAX_FOR_YOU=many\n")).endswith("(test.env)")


def test_a_setting_of_an_earlier_version_says_what_to_do():
    assert refusal({}, dotenv("DIGEST_THUMBNAILS=yes\n")) == (
        "DIGEST_THUMBNAILS is no longer a setting (test.env): pictures are now served by your own "
        "pages, and DIGEST_PICTURES turns them on or off; remove this line"
    )


@pytest.mark.parametrize("name", ["DIGEST_TRANSPRT", "DIGEST_", "DIGEST_FROM_", "DIGEST_from"])
def test_a_name_we_do_not_know_is_refused(name):
    assert f"{name} is not a setting (environment)" in refusal({name: "x"})
    assert f"{name} is not a setting (test.env)" in refusal({}, dotenv(f"{name}=x\n"))


def test_a_misspelt_name_is_told_what_may_be_meant():
    assert refusal({"DIGEST_TRANSPRT": "x"}) == (
        "DIGEST_TRANSPRT is not a setting (environment); did you mean DIGEST_TRANSPORT?"
    )
    assert refusal({"DIGEST_COLOUR_OF_THE_SKY": "x"}).endswith("; see digest config --example")


def test_the_tests_own_names_are_let_be():
    assert read_settings({"DIGEST_TEST_POSTGRES_URL": "x"}) == read_settings({})


# ---- config.example.env ------------------------------------------------------------------------


def test_the_committed_example_is_the_programs():
    assert (ROOT / "config.example.env").read_text(encoding="utf-8") == example_env()


def test_every_setting_says_what_it_is_for():
    assert list(descriptions()) == NAMES


def test_the_example_names_every_setting():
    named = [line[1:].partition("=")[0] for line in example_env().splitlines() if _is_value(line)]
    assert named == [variable(name) for name in NAMES]


def test_the_example_changes_nothing_as_it_is():
    assert read_settings({}, dotenv(example_env()))[0] == read_settings({})[0]


def test_the_example_can_be_uncommented(tmp_path):
    lines = [line[1:] if _is_value(line) else line for line in example_env().splitlines()]
    # These name things that exist on the operator's machine.
    text = "\n".join(lines).replace("/etc/paper-digest/templates", str(tmp_path / "a"))
    text = text.replace("/etc/ssl/private-ca.pem", str(tmp_path / "a.pem"))
    text = text.replace(NEW_KEY, "0123456789abcdef" * 2)
    for file in ("disposable-domains.txt", "diagnostics.toml"):
        text = text.replace(f"/etc/paper-digest/{file}", str(tmp_path / "a.txt"))
    _, origins = read_settings({}, dotenv(text))
    assert {origin.came_from for origin in origins} == {"test.env"}


def _is_value(line):
    return line.startswith("#DIGEST_")


def test_the_text_of_the_example_is_no_secret() -> None:
    """It is long enough, and known to everybody who has read the README."""
    for name in ("secret", "api_tokens", "metrics_tokens", "webhook_generic"):
        with pytest.raises(SettingError, match="is the text of the example"):
            read_settings({variable(name): f"{'x' * 40}, {NEW_KEY}"})

"""The table of settings: pages, the people on them, and what mails look like."""

from dataclasses import dataclass
from pathlib import Path

from digest.settings import values
from digest.settings.row import setting


@dataclass(frozen=True)
class PageSettings:
    """Links, who may join, the API, templates, letters."""

    base_url: str | None = setting(
        "",
        values.public_url,
        "Public address of `digest serve`, for the links in mails. Needed to send.",
        example="https://digest.example.org",
    )
    secret: tuple[str, ...] | None = setting(
        "",
        values.secrets,
        "Signs the links in mails; best 32 random characters or more. Several, newest first and "
        "separated by commas, keep old links working: keep each for a year at least. Needed to "
        "send.",
        example="paste-the-output-of-openssl-rand-hex-32",
        secret=True,
    )
    api_tokens: tuple[str, ...] | None = setting(
        "",
        values.secrets,
        "Whoever has one of these, separated by commas, may use the HTTP API as you. Not set: "
        "there is no API.",
        example="paste-the-output-of-openssl-rand-hex-32",
        secret=True,
    )
    metrics_tokens: tuple[str, ...] | None = setting(
        "",
        values.secrets,
        "Whoever shows one of these, separated by commas, as a bearer token may read the figures "
        "at /metrics (Prometheus). Not set: there are none.",
        example="paste-the-output-of-openssl-rand-hex-32",
        secret=True,
    )
    refused_domains: frozenset[str] | None = setting(
        "",
        values.domains,
        "File of mail domains (one a line, with their subdomains) that nobody may subscribe with, "
        "such as those of mailboxes for a day.",
        example="/etc/paper-digest/disposable-domains.txt",
    )
    keep_client_addresses: bool = setting(
        "no",
        values.yes_or_no,
        "Whether the network address that a consent came from is stored with it: yes or no.",
    )
    postal_address: str | None = setting(
        "",
        values.text,
        "Postal address in each footer, as many countries ask. Needed to send.",
        example="Paper Digest, 1 Example Street, 0150 Oslo, Norway",
    )
    templates: Path | None = setting(
        "",
        values.existing_folder,
        "Folder with your own templates; what it lacks is taken from the built-in set.",
        example="/etc/paper-digest/templates",
    )
    link_hosts: tuple[str, ...] | None = setting(
        "",
        values.names,
        "Hosts that templates may link to, beside your own and those of the papers; the check of "
        "the templates names others. Not set: any.",
        example="arxiv.org,huggingface.co",
    )
    language: str = setting(
        "en",
        values.language,
        "Language of the mails: en, de, or one that DIGEST_TEMPLATES has in locales/CODE.po.",
    )
    welcome: bool = setting(
        "yes",
        values.yes_or_no,
        "Whether somebody who has just confirmed gets a mail that says what will come: yes or no.",
    )
    goodbye: bool = setting(
        "no",
        values.yes_or_no,
        "Whether somebody who has just left gets one last mail, with a link to undo it: yes or "
        "no. No keeps the promise that nothing comes after leaving.",
    )
    studio_password: str | None = setting(
        "",
        values.text,
        "Password of `digest studio`, with any user name. Needed where it listens to other "
        "machines; put an HTTPS proxy before it there.",
        example="paste-the-output-of-openssl-rand-hex-32",
        secret=True,
    )
    operator: str | None = setting(
        "",
        values.address,
        "Who is told by mail when a daily run has trouble. Not set: nobody is, only the log.",
        example="operator@example.org",
    )
    log_addresses: bool = setting(
        "no",
        values.yes_or_no,
        "Whether the log shows mail addresses in full, not as a…@example.org: yes or no. Tokens "
        "and passwords are in it in no case.",
    )
    header_image: str | None = setting(
        "",
        values.image_url,
        "Picture at the head of each mail, by its https:// address. Not set: there is none.",
        example="https://digest.example.org/header.png",
    )
    header_image_size: tuple[int, int] | None = setting(
        "",
        values.size,
        "Width and height of that picture in pixels; it is shown at most 600 wide.",
        example="1200x240",
    )
    thumbnails: bool = setting(
        "no",
        values.yes_or_no,
        "Whether digests show a picture of each paper, from Hugging Face's servers, which so "
        "learn who looks: yes or no.",
    )

"""nginx and Caddy in front of the pages, with the files of docs/deploy."""

import os
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
import trustme

from tests.acceptance.conftest import PATIENCE, Person, Start
from tests.integration.smtp_server import nobody_listens

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy"
CLIENT, FORGED = "127.0.0.2", "203.0.113.9"
LAB = "https://lab.example.org"


@dataclass(frozen=True)
class Proxy:
    """A web server that runs: the address of the pages behind it, and all that it wrote."""

    base: str
    plain: str
    trust: Callable[[], Path]
    folder: Path

    def client(self) -> httpx.Client:
        trusting = ssl.create_default_context(cafile=self.trust())
        wire = httpx.HTTPTransport(verify=trusting, local_address=CLIENT)
        return httpx.Client(transport=wire, timeout=PATIENCE, trust_env=False)

    def written(self) -> str:
        return "".join(file.read_text() for file in self.folder.glob("*.log"))


def _free_ports(how_many: int) -> list[int]:
    ports = []
    for _ in range(how_many):
        with nobody_listens() as port:
            ports.append(port)
    return ports


@contextmanager
def _running(folder: Path, port: int, *words: str, **environment: str) -> Iterator[None]:
    with (folder / "stderr.log").open("w") as log:
        process = subprocess.Popen(
            words, stdout=log, stderr=log, env={**os.environ, "HOME": str(folder), **environment}
        )
    try:
        for _ in range(PATIENCE * 10):
            assert process.poll() is None, (folder / "stderr.log").read_text()
            try:
                httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                break
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


@contextmanager
def _nginx(folder: Path, pages: int) -> Iterator[Proxy]:
    """The file as it is, but for ports, places and the name; around it what Debian's has."""
    plain, tls = _free_ports(2)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate = authority.issue_cert("localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "certificate.pem"))
    text = (DEPLOY / "nginx.conf").read_text()
    for was, becomes in (
        (r"^ *listen \[::\].*\n", ""),
        (r"listen 80;", f"listen 127.0.0.1:{plain};"),
        (r"listen 443 ", f"listen 127.0.0.1:{tls} "),
        (r"https://digest\.example\.org", f"https://localhost:{tls}"),
        (r"digest\.example\.org;", "localhost;"),
        (r"/etc/letsencrypt/\S+\.pem", f"{folder}/certificate.pem"),
        (r"/var/log/nginx/", f"{folder}/"),
        (r"127\.0\.0\.1:8000", f"127.0.0.1:{pages}"),
    ):
        text, found = re.subn(was, becomes, text, flags=re.MULTILINE)
        assert found, was
    (folder / "site.conf").write_text(text)
    temporary = "".join(
        f"{kind}_temp_path {folder}/tmp-{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Debian's file sends errors and accesses of all else to logs of their own.
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid;\nevents {{}}\nhttp {{\n{temporary}"
        f"access_log {folder}/all.log;\ninclude site.conf;\n}}\n"
    )
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program
    error_log = str(folder / "errors.log")
    words = (program, "-c", str(folder / "nginx.conf"), "-e", error_log, "-g", "daemon off;")
    with _running(folder, plain, *words):
        yield Proxy(
            f"https://localhost:{tls}",
            f"http://localhost:{plain}",
            lambda: folder / "ca.pem",
            folder,
        )


@contextmanager
def _caddy(folder: Path, pages: int) -> Iterator[Proxy]:
    """The file as it is, with other ports, and with nothing outside of the folder."""
    plain, tls = _free_ports(2)
    ours = f"{{\n\thttp_port {plain}\n\thttps_port {tls}\n\tadmin off\n\tskip_install_trust\n"
    text = (DEPLOY / "Caddyfile").read_text()
    assert text.count("\n{\n") == 1
    (folder / "Caddyfile").write_text(text.replace("\n{\n", f"\n{ours}"))
    words = ("caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile")
    places = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with _running(folder, plain, *words, PAGES=f"127.0.0.1:{pages}", DOMAIN="localhost", **places):
        yield Proxy(
            f"https://localhost:{tls}",
            f"http://localhost:{plain}",
            lambda: folder / "caddy" / "pki" / "authorities" / "local" / "root.crt",
            folder,
        )


@pytest.mark.long
@pytest.mark.parametrize("web_server", [_nginx, _caddy], ids=["nginx", "caddy"])
def test_the_pages_behind_a_web_server(
    operator: Person, start: Start, tmp_path: Path, web_server: Callable[..., object]
) -> None:
    name = web_server.__name__.strip("_")
    if not shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin"):
        pytest.skip(f"{name} is not installed: Debian's package is nginx-light or caddy")
    folder = tmp_path / "proxy"
    folder.mkdir()
    (pages,) = _free_ports(1)
    with web_server(folder, pages) as proxy:
        base = f"{proxy.base}/digest"  # below a path, which neither of them takes away
        operator.settings |= {
            "DIGEST_BASE_URL": base,
            "DIGEST_KEEP_CLIENT_ADDRESSES": "yes",
            "DIGEST_EMBED_ORIGINS": LAB,
        }
        serving = start(operator, "serve", "--port", str(pages), sign="The pages are at")
        with proxy.client() as client:
            _is_all_there(client, proxy, base, operator)
            token = _is_silent_about_links(client, proxy, base, operator, serving)
    assert token not in proxy.written()


def _is_all_there(client: httpx.Client, proxy: Proxy, base: str, operator: Person) -> None:
    moved = client.get(f"{proxy.plain}/digest/")
    assert moved.status_code in {301, 308}
    assert urlsplit(moved.headers["Location"]).scheme == "https"
    landing = client.get(f"{base}/")
    assert landing.status_code == 200
    assert 'action="/digest/subscribe' in landing.text

    long = "&".join(f"topic={quote(chr(0x6A21 + number) * 200)}" for number in range(20))
    assert len(long) > 36_000  # twenty topics of the longest
    feed = client.get(f"{base}/feed.atom?{long}")
    assert feed.status_code == 200, feed.text

    form = {"address": "ada@example.org", "topics": "robots"}
    answer = client.post(f"{base}/subscribe", data=form, headers={"X-Forwarded-For": FORGED})
    assert answer.status_code == 200, answer.text
    people = operator.digest("subscribers", "export")
    assert CLIENT in people
    assert FORGED not in people

    for origin, status in ((LAB, 200), (proxy.base, 200), (f"{LAB}.evil.test", 422), ("null", 422)):
        form["address"] = f"reader{origin.count('.')}{status}@example.org"
        answer = client.post(f"{base}/de/subscribe", data=form, headers={"Origin": origin})
        assert answer.status_code == status, origin
    assert 'action="/digest/de/subscribe"' in answer.text


def _is_silent_about_links(
    client: httpx.Client,
    proxy: Proxy,
    base: str,
    operator: Person,
    serving: subprocess.Popen[str],
) -> str:
    """Ask for a link that counts as a password, while the pages are there and while they are not."""
    token = "SECRET-that-is-in-a-link"
    link = f"{base}/unsubscribe/{token}"
    heads = {"Referer": link}
    assert client.get(link, headers=heads).status_code == 404
    too_large = client.post(link, headers=heads, content=b"x" * 70_000_000)
    assert too_large.status_code in {404, 413}
    serving.terminate()
    serving.wait(PATIENCE)
    assert client.get(link, headers=heads).status_code == 502
    return token

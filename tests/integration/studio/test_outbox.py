"""The studio's page of the emails that were written to a folder."""

from pathlib import Path

import pytest

from digest.studio.outbox import outbox_routes
from digest.studio.render import Pages
from digest.studio.web import studio_app
from tests.integration.studio_client import Client

EMAIL = """\
To: ada@example.org
Subject: <b>3 for you</b>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=x

--x
Content-Type: text/plain; charset=utf-8

The text
--x
Content-Type: text/html; charset=utf-8

<p>The <script>alert(1)</script> HTML</p>
--x--
"""


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    (tmp_path / "secret.eml").write_text("Subject: not mail\n\n")
    folder = tmp_path / "outbox"
    folder.mkdir()
    (folder / "ada@example.org-1.eml").write_text(EMAIL)
    return folder


@pytest.fixture
def client(outbox: Path) -> Client:
    pages = Pages("Paper Digest", more={"Outbox": "/outbox"})
    return Client(
        studio_app([outbox_routes(outbox, pages)], pages, host="127.0.0.1", password=None)
    )


def test_an_email_is_shown_whole_and_nothing_in_it_runs(client: Client) -> None:
    listed = client.get("/outbox").text
    assert "&lt;b&gt;3 for you&lt;/b&gt;" in listed
    assert "/outbox/ada%40example.org-1.eml/html" in listed
    html = client.get("/outbox/ada@example.org-1.eml/html")
    assert "The <script>" in html.text
    assert "default-src 'none'" in html.headers["content-security-policy"]
    assert "sandbox" in html.headers["content-security-policy"]
    assert "script-src" not in html.headers["content-security-policy"]
    text = client.get("/outbox/ada@example.org-1.eml/text")
    assert (text.text.strip(), text.headers["content-type"]) == (
        "The text",
        "text/plain; charset=utf-8",
    )
    assert client.get("/outbox/ada@example.org-1.eml/message").text == EMAIL


@pytest.mark.parametrize("name", ["..%2Fsecret.eml", "link.eml", "none.eml", "folder.eml"])
def test_nothing_but_a_file_of_the_folder_is_shown(client: Client, outbox: Path, name: str) -> None:
    (outbox / "link.eml").symlink_to(outbox.parent / "secret.eml")
    (outbox / "folder.eml").mkdir()
    assert client.get(f"/outbox/{name}/message").status_code == 404
    assert client.get("/outbox").text.count("/message") == 1


def test_before_the_first_email_there_is_no_folder(tmp_path: Path) -> None:
    pages = Pages("Paper Digest")
    routes = outbox_routes(tmp_path / "none", pages)
    shown = Client(studio_app([routes], pages, host="127.0.0.1", password=None)).get("/outbox")
    assert "No email yet." in shown.text

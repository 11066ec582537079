"""The studio shows what the language model is asked, and faults in its templates."""

from digest.app.app import App
from digest.app.studio import studio
from tests.integration.studio_client import Client
from tests.support import SENDING


def test_prompts_are_shown_in_a_language_and_faults_are_told(tmp_path):
    own = tmp_path / "own"
    (own / "prompts" / "paper").mkdir(parents=True)
    app = App({}, None, home=str(tmp_path), **{**SENDING, "templates": str(own)})
    client = Client(studio(app))
    page = client.get("/prompts?language=fr").text
    assert "exactly one sentence in French" in page
    assert "Robots that Tidy Up &amp; Ask" in page
    assert client.get("/prompts?language=%3Cb%3E").status_code == 200
    file = own / "prompts" / "paper" / "instructions.txt.j2"
    file.write_text("Sum it up\nin {{ langage }}.", encoding="utf-8")
    page = client.get("/prompts?language=fr").text
    assert "prompts/paper/instructions.txt.j2, line 2" in page
    assert "langage" in page
    file.write_text("In my words, in {{ language }}.", encoding="utf-8")
    assert "In my words, in French." in client.get("/prompts?language=fr").text

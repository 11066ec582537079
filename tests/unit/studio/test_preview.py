"""Proofs of the mails: what is shipped is clean, and what an edit breaks is told."""

from dataclasses import replace
from functools import cache

import pytest

from digest.checks.finding import Level
from digest.checks.rules import Rules, shipped_baseline
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.compose.language import language
from digest.errors import TemplateError
from digest.studio.preview import Previews, with_pictures
from digest.studio.samples import digest_of
from tests.raw_message import read
from tests.support import few_of, make_settings
from tests.unit.compose.both_ways import CARD, own_templates
from tests.versions import MAKERS_OF_HTML, made_with

SENDER = from_identity(make_settings())


def proofs_of(folder=None, code="en", identity=SENDER, **rules):
    templates = Templates(folder, language(code)) if folder else shipped_templates(code)
    return Previews(templates, identity, Rules(**rules))


@cache  # what is built of them is kept with them
def shipped_templates(code):
    return Templates(None, language(code))


def told(findings, *levels):
    return [
        f"{finding.template}:{finding.line} {finding.what}"
        for finding in findings
        if finding.level in levels
    ]


@pytest.mark.parametrize("code", few_of(["en", "de"]))
def test_there_is_nothing_to_mend_in_the_shipped_templates(code):
    assert told(proofs_of(code=code).findings(), Level.ERROR, Level.WARNING) == []


def test_nor_with_pictures_but_for_the_largest_which_loses_a_paper():
    findings = proofs_of(identity=with_pictures(SENDER)).findings()
    assert all(finding.check == "size" for finding in findings if finding.level is not Level.NOTE)


@made_with(*MAKERS_OF_HTML)
def test_the_shipped_baseline_is_exactly_what_clients_lack_of_the_shipped_mails():
    """More is not to come unnoticed; less is to be kept: digest templates check --accept."""
    assert proofs_of().baseline() == shipped_baseline()


def test_each_sample_has_a_proof_and_a_message():
    previews = proofs_of()
    for name, sample in previews.samples().items():
        preview = previews.of_sample(name)
        mail = read(preview.message)
        assert (preview.mail, preview.sample, preview.about) == (sample.mail, name, sample.about)
        assert [part.text for part in mail.parts] == [preview.content.text, preview.content.html]
        assert "<mjml" in preview.mjml.text


def test_the_digest_of_an_edition_has_one_as_well():
    previews = proofs_of()
    digest = digest_of(previews.samples()["rich"])
    preview = previews.of_digest(digest)
    assert preview.sample == ""
    assert digest.picks[0].candidate.facts.title in preview.content.text


def test_and_so_has_the_note_that_there_is_nothing():
    previews = proofs_of()
    preview = previews.of_digest(digest_of(previews.samples()["nothing-matched"]))
    assert preview.mail == "nothing"
    assert preview.message.count(b"\r\nList-Unsubscribe-Post: ") == 1  # a mail of the list
    assert "Too few of the new papers fit your topics." in preview.content.text


def test_a_slip_is_told_with_file_and_line(tmp_path):
    slip = {CARD: ("<mj-text>", '<mj-text colour="#ff0000">')}
    line = own_templates(tmp_path, slip) / CARD
    number = line.read_text().split("\n").index('    <mj-text colour="#ff0000">') + 1
    (error,) = told(proofs_of(tmp_path).findings("digest"), Level.ERROR)
    assert error == f"{CARD}:{number} <mj-text> has no attribute colour; did you mean color?"


def test_what_cannot_be_rendered_is_an_error_like_any_other(tmp_path):
    broken = tmp_path / "mail" / "confirm" / "body.txt.j2"
    broken.parent.mkdir(parents=True)
    broken.write_text("a\n{{ mail.nothing }}", encoding="utf-8")
    previews = proofs_of(tmp_path)
    (error,) = told(previews.findings("confirm"), Level.ERROR)
    assert error.startswith("mail/confirm/body.txt.j2:2 ")
    with pytest.raises(TemplateError):
        previews.of_sample("confirm")
    assert told(previews.findings("goodbye"), Level.ERROR) == []


def test_what_cannot_be_built_is_a_warning_with_its_cost(tmp_path):
    own_templates(tmp_path, {CARD: ('width="264px"', 'width="{{ 200 + card.counts | length }}px"')})
    [finding] = (
        found for found in proofs_of(tmp_path).findings("digest") if found.check == "not-built"
    )
    assert (finding.level, finding.template, finding.line) == (Level.WARNING, CARD, 27)
    assert finding.what.startswith("each email takes thirty times as long, because this cannot")
    assert "write them out: {{ 'this' if … else 'that' }}" in finding.what


def test_hosts_that_templates_may_not_link_to_are_named(tmp_path):
    link = '<a href="https://tracker.example/x">x</a>'
    own_templates(
        tmp_path,
        {"mail/partials/footer.mjml.j2": ("<mj-text", f"<mj-text>{link}</mj-text><mj-text")},
    )
    findings = proofs_of(tmp_path, allowed_hosts=frozenset({"arxiv.org"})).findings("digest")
    warnings = told(findings, Level.WARNING)
    assert [warning for warning in warnings if "tracker.example" in warning]
    assert not [
        warning for warning in warnings if "code.example" in warning or "huggingface.co" in warning
    ]


@pytest.mark.parametrize("ask", [lambda p: p.of_sample("none"), lambda p: p.findings("none")])
def test_what_there_is_not_is_told(ask):
    with pytest.raises(TemplateError, match="there is no"):
        ask(proofs_of())


def test_a_sender_with_pictures_is_the_same_sender():
    assert replace(with_pictures(SENDER), header=None) == SENDER


@pytest.mark.parametrize(
    ("include", "what"),
    [
        ("mail/partials/none.txt.j2", "there is no template mail/partials/none.txt.j2, which"),
        ("mail/confirm/body.txt.j2", "a template includes itself: mail/confirm/body.txt.j2 →"),
    ],
)
def test_an_include_that_cannot_be_followed_is_told_with_file_and_line(tmp_path, include, what):
    own_templates(tmp_path, {"mail/confirm/body.txt.j2": f'a\n{{% include "{include}" %}}'})
    previews = proofs_of(tmp_path)
    (error,) = told(previews.findings("confirm"), Level.ERROR)
    assert error.startswith(f"mail/confirm/body.txt.j2:2 {what}")
    with pytest.raises(TemplateError, match=what[:20]):
        previews.of_sample("confirm")


def test_a_name_in_a_branch_that_no_sample_takes_is_told_and_the_email_still_shown(tmp_path):
    wrong = "a\n{% if mail.hours > 999 %}\n{{ mail.nothing }}{% endif %}"
    own_templates(tmp_path, {"mail/confirm/body.txt.j2": wrong})
    preview = proofs_of(tmp_path).of_sample("confirm")
    errors = told(preview.findings, Level.ERROR)
    assert "mail/confirm/body.txt.j2:3 a message has no nothing" in errors


def test_a_base_url_without_https_is_one_line():
    sender = replace(SENDER, base_url="http://127.0.0.1:8000")
    found = proofs_of(identity=sender).findings()
    assert told(found, Level.ERROR, Level.WARNING) == []
    (note,) = [finding for finding in found if finding.check == "links"]
    assert note.template == "DIGEST_BASE_URL"


def test_each_finding_has_its_file(tmp_path):
    wrong = '<mj-text><a href="">x</a><img src="https://a.example/p.png" alt=""/>&nbsp;</mj-text><mj-text'
    own_templates(tmp_path, {"mail/partials/footer.mjml.j2": ("<mj-text", wrong)})
    found = proofs_of(tmp_path).findings("digest")
    assert found
    assert all(finding.template for finding in found)

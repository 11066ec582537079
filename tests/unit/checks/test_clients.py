"""The ratchet: what clients do not support may become less, and more only knowingly."""

from digest.checks.clients import baseline_of, newly_unsupported
from digest.checks.finding import Level
from digest.checks.rules import Rules, read_baseline, shipped_baseline, write_baseline
from tests.unit.checks.making import document, line_of, rendered

ROUND = "<p style='border-radius: 1px'>a</p>"
SAYS = (
    "border-radius (css-border-radius) is not supported by outlook-windows; new since the baseline"
)
KNOWING = {"outlook-windows": ["css-border-radius"]}


def about_round(findings):
    return [finding for finding in findings if "border-radius" in finding.what]


def test_a_new_feature_is_told_of_with_its_place():
    mjml = document(body="\n<p style='border-radius: 1px'>a</p>")
    mail = rendered(mjml, html=ROUND)
    (found,) = about_round(newly_unsupported(mail, Rules(baseline={"test": {}})))
    assert (found.level, found.what) == (Level.WARNING, SAYS)
    assert found.line == line_of(mjml, "border-radius")


def test_what_the_baseline_has_is_not_told_of():
    rules = Rules(baseline={"test": KNOWING})
    assert about_round(newly_unsupported(rendered(html=ROUND), rules)) == []


def test_each_client_counts():
    rules = Rules(baseline={"test": {"gmail-web": ["css-border-radius"]}})
    assert about_round(newly_unsupported(rendered(html=ROUND), rules))


def test_a_mail_of_ones_own_is_compared_with_all_others():
    mail = rendered(html=ROUND)
    assert about_round(newly_unsupported(mail, Rules(baseline={"a": {}, "b": KNOWING}))) == []
    assert about_round(newly_unsupported(mail, Rules(baseline={"a": {}, "b": {}})))
    assert about_round(newly_unsupported(mail, Rules(baseline={"test": {}, "b": KNOWING})))


def test_a_baseline_is_made_of_all_samples_and_kept(tmp_path):
    path = tmp_path / "baseline.json"
    made = baseline_of([rendered(html="<p>a</p>"), rendered(html=ROUND)])
    assert "css-border-radius" in made["test"]["outlook-windows"]
    write_baseline(made, path)
    assert read_baseline(path) == made
    rules = Rules(baseline=made)
    assert list(newly_unsupported(rendered(html=ROUND), rules)) == []


def test_the_shipped_baseline_is_that_of_the_digest_too():
    assert Rules().baseline is shipped_baseline()
    assert "css-border-radius" in shipped_baseline()["digest"]["outlook-windows"]

"""The whole list of checks: silent about a clean mail, in order about another."""

from dataclasses import replace

from digest.checks.check import check, check_all
from digest.checks.finding import Finding, Level, in_order
from tests.unit.checks.making import CLEAN, TEMPLATE, document, filled, rendered


def without_clients(findings):
    return [finding for finding in findings if finding.check != "clients"]


def test_nothing_is_said_of_a_clean_mail():
    assert without_clients(check(rendered(), CLEAN)) == []


def test_each_check_of_the_list_runs():
    """A mail in which everything is wrong."""
    head = '<mj-raw><link rel="stylesheet" href="http://x.example/a.css"></mj-raw>'
    body = '<img src="a.gif"><p style="color: #999999">pale</p><p style="color: #666666">grey</p>'
    whole = document("<mj-txt/>", head, f'{body}<a href="https://y.example">y</a>')
    mjml = (
        whole.replace(' lang="en"', "")
        .replace("What a list of mails shows beside it", "Few")
        .replace("<mj-title>Test", "<mj-title> ")
    )
    text = f"{'long ' * 20}\nhttp://z.example"
    bad = replace(
        rendered(mjml, text=text, subject="", is_largest=True),
        mjml=filled(f"{mjml}<p>"),
    )
    found = {(each.check, each.level) for each in check(bad, CLEAN)}
    assert found == {
        ("unclosed", Level.ERROR),
        ("unknown", Level.ERROR),
        ("alt", Level.ERROR),
        ("image-size", Level.WARNING),
        ("forbidden", Level.ERROR),
        ("links", Level.ERROR),
        ("links", Level.WARNING),
        ("unsubscribe", Level.ERROR),
        ("postal-address", Level.ERROR),
        ("contrast", Level.ERROR),
        ("dark", Level.WARNING),
        ("size", Level.NOTE),
        ("text", Level.ERROR),
        ("text", Level.WARNING),
        ("preheader", Level.WARNING),
        ("title", Level.ERROR),
        ("lang", Level.ERROR),
        ("subject", Level.ERROR),
        ("lines", Level.NOTE),
        ("clients", Level.WARNING),
    }


def test_errors_come_first_and_nothing_comes_twice():
    note = Finding("a", Level.NOTE, "x", "a")
    late = Finding("a", Level.ERROR, "x", "b", 2)
    soon = Finding("z", Level.ERROR, "x", "b", 1)
    warning = Finding("a", Level.WARNING, "x")
    expected = [soon, late, warning, note]
    assert in_order([note, late, warning, soon, late]) == expected
    assert in_order([soon, note, warning, late]) == expected


def test_all_samples_of_a_mail_are_told_of_once():
    mjml = document('<mj-text wdth="1">a</mj-text>')
    both = [rendered(mjml), rendered(mjml, sample="other")]
    says = "<mj-text> has no attribute wdth"
    found = check_all(both, CLEAN)
    assert [each.template for each in found if says in each.what] == [TEMPLATE]

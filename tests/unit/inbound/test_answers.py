"""Requests to unsubscribe in somebody's own words, and reports about authentication."""

from email import message_from_bytes

import pytest

from digest.inbound.answers import is_about_authentication, tokens_in, wants_to_leave
from digest.inbound.report import Kind
from digest.inbound.report_reader import read_report


def raw(subject="Re: papers", body="", **headers):
    more = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in headers.items())
    text = f"From: ada@example.org\nSubject: {subject}\n{more}"
    return f"{text}Content-Type: text/plain; charset=utf-8\n\n{body}\n".encode()


def mail(*args, **headers):
    return message_from_bytes(raw(*args, **headers))


@pytest.mark.parametrize(
    "words",
    [
        "unsubscribe",
        "STOP",
        "Unsubscribe me please.",
        "please unsubscribe me from this mailing list",
        "Please take me off the list.",
        "remove me from your list",
        "stop sending me these emails",
        "no more emails please",
        "Abmelden",
        "Bitte abmelden!",
        "Melden Sie mich ab",
        "keine weiteren E-Mails mehr",
        "désabonnement",
        "Merci de me désinscrire",
        "darme de baja por favor",
        "baja",
        "cancelar assinatura",
        "descadastrar",
        "disiscrivimi",
        "cancellami",
        "afmelden",
        "schrijf mij uit",
        "avregistrera mig",
        "frameld mig",
        "meld meg av",
        "proszę wypisać mnie",
        "Отписаться",
        "відписатися",
        "abonelikten çıkar",
        "配信停止",
        "退订",
        "请取消订阅",
        "수신거부",
    ],
)
def test_a_request_to_unsubscribe_in_many_languages(words):
    assert wants_to_leave(mail(words))
    assert wants_to_leave(mail(f"Re: {words}", "some other text"))
    assert wants_to_leave(mail("Re: papers", f"{words}\n\n-- \nAda"))
    assert wants_to_leave(
        mail("AW: papers", f"Hi\n{words}\nThanks\n\nOn Monday we wrote:\n> papers")
    )


@pytest.mark.parametrize(
    "words",
    [
        "do not unsubscribe me",
        "How do I unsubscribe?",
        "stop by our office tomorrow",
        "I could not find the unsubscribe link of another list, can you help?",
        "please stop sending me the same paper twice, I like the others",
        "one\ntwo\nthree\nfour\nunsubscribe",
        "thank you\n\n> unsubscribe",
        "thank you\n\nAm Montag schrieb digest:\nunsubscribe",
        "thank you\n-----Original Message-----\nunsubscribe",
        "",
    ],
)
def test_other_words_are_for_a_person_to_read(words):
    assert not wants_to_leave(mail("Re: papers", words))


def test_a_program_that_answers_does_not_ask_to_leave():
    assert read_report(raw("unsubscribe", Auto_Submitted="auto-replied")).kind is Kind.AUTO_REPLY


@pytest.mark.parametrize(
    "report",
    [
        mail("Report domain: example.org Submitter: google.com Report-ID: 1"),
        mail("Report Domain: example.org Submitter: x.example", TLS_Report_Domain="example.org"),
        mail(
            "your report",
            Content_Disposition="attachment; filename=x.y!example.org!1700000000!1700086400.xml.gz",
        ),
    ],
)
def test_reports_about_authentication(report):
    assert is_about_authentication(report)


@pytest.mark.parametrize("subject", ["Re: report domain", "Report", "domain: x Submitter: y"])
def test_what_is_none(subject):
    assert not is_about_authentication(mail(subject))


def test_a_long_text_is_searched_in_linear_time():
    assert tokens_in("a" * 500_000) == []
    assert not wants_to_leave(mail("Re: papers", ": " * 200_000))


def test_a_token_goes_on_in_the_next_line():
    token = f"{'a' * 20}.{'b' * 30}"
    assert token in tokens_in(f"https://x.example/unsubscribe/{token[:30]}\n {token[30:]} .")

"""Notices in words: of many languages, and of senders that do not look like mail systems."""

import pytest

from digest.inbound.report import Kind
from digest.inbound.report_reader import read_report

ADA = "ada@example.org"


def mail(text, sender="postmaster@example.net", subject="", headers=""):
    return (
        f"From: {sender}\nTo: us@example.com\nSubject: {subject}\n{headers}"
        f"Content-Type: text/plain; charset=utf-8\n\n{text}\n"
    ).encode()


def returning(text, headers="", subject="About your mail"):
    """A mail with another inside."""
    return (
        f"From: Ada <{ADA}>\nTo: us@example.com\nSubject: {subject}\n{headers}"
        "Content-Type: multipart/mixed; boundary=one\n\n"
        f"--one\nContent-Type: text/plain\n\n{text}\n"
        "--one\nContent-Type: message/rfc822\n\n"
        "From: us@example.com\nTo: grace@example.org\nSubject: Papers\n\nPapers.\n--one--\n"
    ).encode()


@pytest.mark.parametrize(
    ("subject", "nobody"),
    [
        ("Olevererbart: Papper", "Mottagaren finns inte."),
        ("Kan ikke leveres: Artikler", "Modtageren findes ikke."),
        ("Kunne ikke levere", "Brukeren finnes ikke."),
        ("Onbestelbaar: Artikelen", "Dit adres bestaat niet."),
        ("Niedostarczalne: Prace", "Taki odbiorca nie istnieje."),
        ("Nedoručitelné: Články", "Tato schránka neexistuje."),
        ("Viestiä ei voitu toimittaa", "Käyttäjää ei ole olemassa."),
        ("Kézbesíthetetlen: Cikkek", "A címzett nem létezik."),
        ("Teslim edilemedi: Makaleler", "Bu kullanıcı mevcut değil."),
        ("Mesajul nu a putut fi livrat", "Destinatarul nu există."),
        ("No se puede entregar: Artículos", "El buzón no existe."),
        ("Não entregue: Artigos", "O usuário não existe."),
        ("Non recapitabile: Articoli", "Nessun utente ha questo nome."),
        ("Не удаётся доставить", "Такой ящик не существует."),
        ("Не вдалося доставити", "Такого ящика не існує."),
        ("Αδύνατη η παράδοση", "Ο παραλήπτης δεν υπάρχει."),
        ("배달되지 않음", "존재하지 않는 사용자입니다."),
        ("無法傳遞郵件", "找不到這個收件者。"),
        ("配信不能", "宛先はディレクトリのリストにありません。"),
    ],
)
def test_a_language_has_words_for_failure_and_for_nobody(subject, nobody):
    report = read_report(mail(f"{ADA}\n{nobody}", subject=subject))
    assert [(recipient.address, recipient.is_hard) for recipient in report.recipients] == [
        (ADA, True)
    ]


@pytest.mark.parametrize(
    "full",
    ["Skrzynka jest przepełniona.", "Postilaatikko on täynnä.", "信箱已滿。", "Lådan är full."],
)
def test_a_language_has_words_for_a_full_mailbox(full):
    subject = "Undeliverable"
    report = read_report(mail(f"{ADA}\nno such user? {full}", subject=subject))
    assert [(recipient.address, recipient.is_hard) for recipient in report.recipients] == [
        (ADA, False)
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"It wasn\N{RIGHT SINGLE QUOTATION MARK}t delivered to {ADA}. Ada wasn't found at their host.",
        f"It was not delivered to {ADA} because the address couldn't be found.",
        f"You have sent mail to {ADA}. That is not a valid user of this system.",
    ],
)
def test_everyday_words_for_nobody(text):
    (ada,) = read_report(mail(text, sender="<>")).recipients
    assert ada.address == ADA
    assert ada.is_hard


@pytest.mark.parametrize(
    "headers", ["Return-Path: <>\n", "Return-Path: <>\nAuto-Submitted: auto-replied\n"]
)
def test_a_mail_from_nobody_that_returns_ours_is_a_notice(headers):
    report = read_report(
        returning(
            f"It could not be delivered to: <{ADA[:3]}2@example.org>\nAs the mailbox is full.",
            headers,
        )
    )
    assert [(recipient.address, recipient.is_hard) for recipient in report.recipients] == [
        ("ada2@example.org", False)
    ]


@pytest.mark.parametrize(
    "content",
    [
        returning("It could not be delivered to grace@example.org, she says."),
        returning("Look what I have written.", "Return-Path: <>\n"),
        returning(
            "grace@example.org: could not be delivered", "Return-Path: <>\nReferences: <1@x>\n"
        ),
        returning(
            "grace@example.org: could not be delivered", "Return-Path: <>\n", "Out of office"
        ),
        mail(
            "grace@example.org could not be delivered",
            "Ada <ada@example.org>",
            headers="Return-Path: <>\n",
        ),
        mail(f"{ADA}: your payment has failed, we will try again.", "no-reply@example.net"),
    ],
)
def test_other_mail_from_people_and_programs_names_nobody(content):
    report = read_report(content)
    assert report.recipients == ()
    assert report.waiting == ()


@pytest.mark.parametrize(
    "text",
    [
        "It has not been delivered yet.",
        "Delivery incomplete: there was a temporary problem delivering it. We will retry.",
        "It could not be sent: these addresses had transient non-fatal errors.",
        "Delivery failed for now and will be attempted again.",
        "It could not be delivered and is still in our queue.",
    ],
)
def test_a_server_that_goes_on_trying_has_not_failed(text):
    report = read_report(mail(f"{text}\n{ADA}", subject="Mail delivery"))
    assert report.kind is Kind.DELAYED
    assert report.waiting == (ADA,)


@pytest.mark.parametrize(
    "subject", ["Zustellung verzögert", "Remise retardée", "Fördröjt: Papper", "配信遅延", "지연됨"]
)
def test_a_title_may_say_that_it_is_a_delay(subject):
    assert read_report(mail(f"not delivered: {ADA}", subject=subject)).kind is Kind.DELAYED


def test_an_end_of_trying_is_a_failure():
    text = f"It had been delayed. We will not retry: these had permanent fatal errors.\n{ADA}"
    assert read_report(mail(text, subject="Mail delivery")).kind is Kind.SOFT


@pytest.mark.parametrize(
    "subject",
    [
        "Automatyczna odpowiedź", "Automatická odpověď", "Automaattinen vastaus", "Autosvar",
        "Automatisk svar", "Automatisch antwoord", "Automatikus válasz", "Otomatik yanıt",
        "Автоматический ответ", "자동 회신", "自動回覆",
    ],
)  # fmt: skip
def test_an_answer_of_a_program_says_so_in_many_languages(subject):
    report = read_report(mail(f"{ADA}: user unknown, could not be delivered", subject=subject))
    assert report.kind is Kind.AUTO_REPLY
    assert report.recipients == ()


def test_whom_the_notice_names_counts_not_whom_it_quotes():
    text = (
        f"Your mail could not be delivered. These recipients have failed:\n\n{ADA}\n  no such user\n\n"
        "Received:from a.example.net by b.example.net\n"
        "Message-ID:<123.456@papers.example.com>\nFrom:<papers@digest.example.com>\n"
        f"To:<{ADA}>\n"
    )
    report = read_report(mail(text, "Mail Delivery System <mailer-daemon@example.net>"))
    assert [recipient.address for recipient in report.recipients] == [ADA]

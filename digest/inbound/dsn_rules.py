"""Which mails are notices of failure or delay, or answers by programs, as words tell. Pure.

A person may write the same words, and a list may carry them. So they count only in mail that a
program has sent.
"""

import re
from email.message import Message

from digest.inbound.mime_parts import header, returned

_DAEMON = re.compile(
    r"mailer.?(?:daemon|deamon)|post.?master|\bmdaemon\b|mail.?delivery|delivery.?(?:sub)?system"
    r"|deliver.?system|mail.?administrator|system.?administrator|\bndr\b",
    re.IGNORECASE,
)
_MACHINE = re.compile(
    r"no.?reply|do.?not.?reply|daemon|sysadmin|admin(?:istrator)?\b|smtp"
    r"|mail.?(?:service|system|server)"
    r"|gateway|anti.?(?:virus|spam)|imss|bounce|listserv|-(?:owner|request|admin)@",
    re.IGNORECASE,
)
_ANSWER = re.compile(
    r"^\s*(?:re|aw|sv|vs|antw|rif|fwd?|wg|tr|rv|enc|回复|转发)\s*(?:\[\d+\])?\s*[:：]",
    re.IGNORECASE,
)
_FAILURE = re.compile(
    r"undeliver|non.?deliver|not (?:be )?(?:delivered|sent)|returned (?:e?.?mail|message|to sender)"
    r"|(?:deliver\w*|mail|message|sending|send).{1,40}?(?:fail|error|problem|trouble|abort"
    r"|impossible)"
    r"|(?:fail|error|problem|trouble|unable|not able|impossible|refused)\w*.{1,40}?(?:deliver"
    r"|transfer|notice|reach)"
    r"|(?:fail|error|problem|trouble)\w*.{1,40}?(?:mail|message|send|process)"
    r"|(?:could|can|did|was|were|has|have|is)(?:\s?n[o']t|not).{1,40}?(?:deliver|reach|receive"
    r"|accept|sent)"
    r"|failed:|rejected|wurde nicht|nicht zugestellt|unzustellbar|zustell\w+ fehl"
    r"|pas pu|non remis|non distribu|échec"
    r"|no (?:pudo|ha podido|se (?:pudo|puede)|fue) (?:ser )?entreg|devuelto"
    r"|n[ãa]o (?:p[ôo]de|foi|pode|é poss|entreg)|falha|impossibile|non (?:è|e'|può) |mancat[ao]"
    r"|non recapitab|niet (?:worden )?(?:bezorgd|afgeleverd)|onbestelbaar|gick inte att|olevererbar"
    r"|ikke (?:\w+ )?lever|ei voitu|toimittamat|niedostarcz|nie (?:można|może|udało|został)"
    r"|nedoručiteln|nelze doručit|nepodařilo|kézbesíthetetlen|nem (?:sikerült|lehet)|teslim edile"
    r"|iletileme|nu a putut|δεν (?:παραδ|ήταν|μπορ)|αδύνατη η|не (?:може|вдалося)"
    r"|не (?:может|было|уда[её]тся|удалось|доставлен)|недоставлен|できません|エラー|届け|配信不"
    r"|无法|失败|未传递|無法|失敗|退信|退回|배달되지|전송 ?실패|반송"
    r"|user (?:\S+ )?unknown|unknown user|no such user|mailbox (?:\S+ )?(?:full|unavailable)"
    r"|not a (?:valid|known) (?:user|address|recipient|mailbox)|over.?quota",
    re.IGNORECASE,
)
# The same, where only the failure of a mail can be meant.
_UNDELIVERED = re.compile(
    r"undeliver(?:ed|able)"
    r"|(?:could|can|was|were|has|have|had)(?:\s?n[o']t|not)\W+(?:be |been )?deliver"
    r"|(?:unable|failed|failure) to deliver|deliver(?:y|ing).{1,40}?(?:fail|error)"
    r"|returned mail|mail was returned|permanent (?:fatal )?error|rejected by"
    r"|invalid (?:user|recipient|mailbox)"
    r"|nicht zugestellt|pas pu [êe]tre (?:remis|d[ée]livr)|送信できません|配信できません",
    re.IGNORECASE,
)  # fmt: skip
_STATUS_NOTICE = re.compile(r"delivery (?:status )?(?:notification|report)", re.IGNORECASE)
_DELAY = re.compile(
    r"not yet (?:been )?(?:delivered|received)|not (?:been )?delivered yet"
    r"|(?:still|has been|been|mail|message) (?:\w+ )?(?:delayed|postponed)"
    r"|delivery (?:\S+ ){0,5}delayed|\(delay(?:ed)?\)|delayed mail"
    r"|still (?:being retried|undelivered|awaiting)|temporary problem delivering"
    r"|will (?:be retried|continue (?:to try|trying|to attempt)|keep (?:on )?trying)"
    r"|delivery attempts will continue|warning message only|this is (?:just|only) a warning"
    r"|warning only"
    r"|(?:do not|don't) need to re-?send|no need to resend|noch nicht zugestellt|wird verzögert"
    r"|n'a pas encore été|aún no se ha|ainda não foi|non è ancora|ещё не доставлен",
    re.IGNORECASE,
)  # fmt: skip
# The same, where nothing else can be meant, and in a title.
_TRYING = re.compile(
    r"will (?:re-?try|try again|be attempted again)|retrying for|still in (?:the|our) queue"
    r"|delivery incomplete|transient non-?fatal",
    re.IGNORECASE,
)
_DELAY_TITLE = re.compile(
    r"\b(?:verzögert|retard|retras|ritard|atras|vertraagd|fördröj|försen|forsink|opóźni|zpožd"
    r"|viiväst|gecik|задерж|отлож|затрим)|遅延|延迟|延遲|지연",
    re.IGNORECASE,
)
# How a server says that it has tried long enough.
_GIVEN_UP = re.compile(
    r"given up|giving up|not going to try again|no longer (?:be )?(?:retr|tr)"
    r"|permanent(?:ly)? (?:fatal )?(?:error|fail)"
    r"|will not (?:be retried|re-?try|try)",
    re.IGNORECASE,
)
_NO_SENDER = re.compile(r"^[^<]*<\s*>\s*$")
_LONGEST = 16_000

# What programs put beside RFC 3834's header, and before there was one.
_MARKS = (
    "X-Autoreply",
    "X-Autorespond",
    "X-Autoresponder",
    "X-Auto-Reply-From",
    "X-Mail-Autoreply",
)
_PRECEDENCE = frozenset({"auto_reply", "auto-reply", "autoreply"})
_ABSENCE = re.compile(
    r"out.of.(?:the.)?office|\booo\b"
    r"|auto(?:matic|mated|matische)?.?(?:re(?:ply|sponse|sponder)|antwort)"
    r"|^\s*auto(?:mat\w*)?\s*:|on (?:vacation|leave|holidays?)|vacation (?:reply|response|message)"
    r"|away from (?:my|the) (?:mail|office|desk)|abwesen|urlaub|absen(?:ce|t) du bureau"
    r"|r[ée]ponse auto"
    r"|fuera de (?:la )?oficina|respuesta auto|fora do escrit|resposta auto|fuori (?:ufficio|sede)"
    r"|risposta auto|afwezig|frånvaro|fravær|poissa|автоответ"
    r"|自動(?:返信|応答|回)|自动(?:回复|答复)"
    r"|\bautoma\w*\W+(?:svar|antwoord|odpow|odpov|vastaus|válasz)|\bautosvar\b|otomatik yan"
    r"|răspuns automat|автомат\w*\W+(?:ответ|відпов)|αυτόματη απ|부재중|자동 ?(?:응답|회신)",
    re.IGNORECASE,
)


def is_notice(mail: Message, text: str) -> bool:
    """Whether a mail without fields for programs is a notice that mail has not arrived."""
    subject, text = header(mail, "Subject"), _flat(text)
    if "X-Failed-Recipients" in mail:
        return True
    if _is_delivery_report(mail) or _is_from_daemon(mail):
        return says_failure(text) or bool(_DELAY.search(text)) or _is_titled(subject)
    if not (_is_from_machine(mail) or _is_returned(mail)) or _is_answer(mail, subject):
        return False
    if _is_of_list(mail) and not _is_titled(subject):
        return False
    return bool(_UNDELIVERED.search(text) or _DELAY.search(text))


def is_delay(mail: Message, text: str) -> bool:
    """Whether a notice says that the server is still trying, so that nothing has failed."""
    subject, text = header(mail, "Subject"), _flat(text)
    delayed = any(pattern.search(text) for pattern in (_DELAY, _TRYING)) or any(
        pattern.search(subject) for pattern in (_DELAY, _DELAY_TITLE)
    )
    return delayed and not _GIVEN_UP.search(text)


def _flat(text: str) -> str:
    """The text without its lines, since sentences run over their ends."""
    return " ".join(text[:_LONGEST].split())


def says_failure(text: str) -> bool:
    return bool(_FAILURE.search(text))


def _is_titled(subject: str) -> bool:
    return bool(_FAILURE.search(subject) or _STATUS_NOTICE.search(subject))


def _is_delivery_report(mail: Message) -> bool:
    """Whether it is a report of its type; those that a mail was read are another (RFC 8098)."""
    about = str(mail.get_param("report-type") or "delivery-status").lower()
    return mail.get_content_type() == "multipart/report" and about == "delivery-status"


def _is_from_daemon(mail: Message) -> bool:
    sender = header(mail, "From")
    return bool(_DAEMON.search(sender) or _NO_SENDER.match(sender))


def _is_from_machine(mail: Message) -> bool:
    """Whether no person is its sender, by its name."""
    return bool(_MACHINE.search(header(mail, "From")))


def _is_returned(mail: Message) -> bool:
    """Whether it comes from nobody and carries a message: answers to mail carry none."""
    return header(mail, "Return-Path") == "<>" and returned(mail) is not None


def _is_answer(mail: Message, subject: str) -> bool:
    return "In-Reply-To" in mail or "References" in mail or bool(_ANSWER.match(subject))


def _is_of_list(mail: Message) -> bool:
    return "List-Post" in mail or "List-Id" in mail


def is_marked(mail: Message) -> bool:
    """Whether its headers say that a program answers (RFC 3834 section 5, and older ways).

    Some servers mark their failure reports so as well.
    """
    submitted = header(mail, "Auto-Submitted").lower()
    return (
        submitted.startswith("auto-replied")
        or header(mail, "Precedence").lower() in _PRECEDENCE
        or any(name in mail for name in _MARKS)
        or header(mail, "X-POST-MessageClass").lower().startswith("9; autoresponder")
    )


def is_about_absence(subject: str) -> bool:
    """Whether the subject is what people on leave have their programs write."""
    return bool(_ABSENCE.search(subject))

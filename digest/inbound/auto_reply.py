"""Mails that a program writes in somebody's name: away, received, moved. Pure.

They say nothing of whether our mail arrived; it did.
"""

import re
from email.message import Message

from digest.inbound.mime_parts import header

# What programs put beside RFC 3834's header, and before there was one.
_MARKS = (
    "X-Autoreply",
    "X-Autorespond",
    "X-Autoresponder",
    "X-Auto-Reply-From",
    "X-Mail-Autoreply",
)
_PRECEDENCE = frozenset({"auto_reply", "auto-reply", "autoreply"})
_SUBJECT = re.compile(
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
    return bool(_SUBJECT.search(subject))

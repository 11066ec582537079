"""Cutting text, in one way everywhere. Pure."""


def truncate(text: str, longest: int) -> str:
    """The text, or its beginning up to a word's end and an ellipsis; at most ``longest`` long."""
    if len(text) <= longest:
        return text
    head = text[: longest - 1]
    cuts_a_word = text[longest - 1] != " " and " " in head[longest // 2 :]
    at_word = head.rsplit(" ", 1)[0] if cuts_a_word else head
    return at_word.rstrip(" ,;:-–—(") + "…"

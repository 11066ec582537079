"""Where cards begin and end: in a shell that has places for them, and in what became of a mail."""

import re
import secrets

from digest.compose.held import Computed


class Cuts:
    """The marks for that. Like those of held texts they cannot be guessed."""

    def __init__(self) -> None:
        self._sign = f"c{secrets.token_hex(8)}c"
        self._mark = re.compile(f"{self._sign}([0-9]+)z")
        self._enclosed = re.compile(f"{self._sign}b([0-9]+)z(.*?){self._sign}e\\1z", re.DOTALL)

    def mark(self, number: int) -> str:
        """Stands in a shell for a card."""
        return f"{self._sign}{number}z"

    def offsets(self, shell: str) -> list[int]:
        """Where each card stands."""
        found = sorted((int(mark[1]), mark.start()) for mark in self._mark.finditer(shell))
        return [offset for _, offset in found]

    def split(self, shell: str, cards: int) -> list[str | int]:
        """A shell's text, and between it the numbers of cards.

        Raises Computed unless each card stands there once.
        """
        parts = self._mark.split(shell)
        if sorted(map(int, parts[1::2])) != list(range(cards)):
            raise Computed("a card stands in a mail twice, or not at all")
        return [int(part) if place % 2 else part for place, part in enumerate(parts)]

    def enclose(self, shell: str, cards: list[str]) -> str:
        """MJML with its cards, each between two marks that come out in the HTML."""

        def card(mark: re.Match[str]) -> str:
            number = int(mark[1])
            begin, end = (f"<mj-raw>{self._sign}{side}{number}z</mj-raw>" for side in ("b", "e"))
            # Blanks stay outside: beside mj-raw they come out, beside anything else they do not.
            card = cards[number].strip()
            before, after = cards[number].split(card, 1) if card else ("", "")
            return f"{before}{begin}{card}{end}{after}"

        return self._mark.sub(card, shell)

    def open(self, html: str, cards: int) -> tuple[list[str | int], list[str]]:
        """The shell, as by ``split``, and the cards. Raises Computed as above."""
        inner = {int(found[1]): found[2] for found in self._enclosed.finditer(html)}
        outer = self._enclosed.sub(lambda found: self.mark(int(found[1])), html)
        shell = self.split(outer, cards)
        if any(self._sign in part for part in [*inner.values(), *shell] if isinstance(part, str)):
            raise Computed("a card does not come out in one piece")
        return shell, [inner[number] for number in range(cards)]

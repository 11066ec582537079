"""Read the replies of a server out of the octets that it sends (RFC 5321 section 4.2). Pure.

A server may be broken or hostile: what is kept of a reply is bounded, and what is no reply ends the
conversation.
"""

import re

from digest.deliver.transport.replies import Reply, in_one_line

# In octets. The longest replies are to EHLO, and far shorter.
LONGEST_REPLY = 65_536

_LINE = re.compile(rb"(?P<code>[2-5]\d\d)(?:(?P<mark>[ -])(?P<text>.*))?", re.DOTALL)


class GarbledError(OSError):
    """The server sent something that is not a reply, or that nobody asked for.

    It is an OSError because the conversation is lost: nobody knows what the next reply answers.
    """


class ReplyReader:
    """Takes octets as they come, and gives replies when they are complete."""

    def __init__(self) -> None:
        self.unread = b""
        self._said: list[bytes] = []
        self._size = 0

    def feed(self, octets: bytes) -> None:
        self.unread += octets

    def next(self) -> Reply | None:
        """Return the next reply; None if it is not complete yet. Raises GarbledError."""
        while b"\n" in self.unread:
            line, _, self.unread = self.unread.partition(b"\n")
            self._size += len(line)
            read = _LINE.fullmatch(line.rstrip(b"\r"))
            if read is None:
                raise GarbledError(f"this is no reply: {in_one_line(line[:80])}")
            if self._size > LONGEST_REPLY:
                raise GarbledError("a reply without an end")
            self._said.append(read["text"] or b"")
            if read["mark"] != b"-":
                reply = Reply(int(read["code"]), b"\n".join(self._said))
                self._said, self._size = [], 0
                return reply
        if len(self.unread) > LONGEST_REPLY:
            raise GarbledError("a line without an end")
        return None

    def expect_nothing(self) -> None:
        """Raise GarbledError if the server has said something unasked.

        That includes octets in clear after the answer to STARTTLS (RFC 3207 section 4.2).
        """
        if self.unread:
            raise GarbledError(f"it said, unasked: {in_one_line(self.unread[:80])}")

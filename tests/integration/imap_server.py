"""An IMAP server of this machine, of one account: what a client for reading and marking needs.

It keeps to RFC 9051 where a client could trip over it: mails are sent as literals, numbers and flags
of others come in between, and what was expunged is gone without a word.
"""

import base64
import re
import socketserver
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO, Self

HOST = "127.0.0.1"
USER, PASSWORD = "ada@example.org", 'päss"word\\'


@dataclass
class Mail:
    content: bytes
    flags: set[str] = field(default_factory=set)


class ImapServer:
    """Its ``folders`` hold mails by UID. Only used as a context manager.

    It listens with TLS from the start, or offers STARTTLS, if it is given a context. ``hang_up_at``
    is the command at which it closes the connection, without an answer, the next time. ``instead``
    has what it does in place of the greeting or the answer to a command, with the way to the client.
    """

    def __init__(self, context: ssl.SSLContext | None = None, *, starttls: bool = False) -> None:
        self.folders: dict[str, dict[int, Mail]] = {"INBOX": {}}
        self.commands: list[str] = []
        self.read_only = False
        self.unreadable: set[int] = set()
        self.hang_up_at: str | None = None
        self.instead: dict[str, Callable[[BinaryIO], None]] = {}
        self.context = context
        self.starttls = starttls
        self._server = _Tcp((HOST, 0), _Conversation)
        self._server.imap = self
        self.port: int = self._server.server_address[1]

    def add(self, *contents: bytes, folder: str = "INBOX") -> None:
        mails = self.folders.setdefault(folder, {})
        for content in contents:
            mails[max(mails, default=6) + 1] = Mail(content)

    def flags(self, folder: str = "INBOX") -> list[set[str]]:
        return [mail.flags for mail in self.folders[folder].values()]

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Tcp(socketserver.ThreadingTCPServer):
    imap: ImapServer

    def handle_error(self, *_: object) -> None:
        """A client that goes away, or trusts us not, is a test's business."""


class _Conversation(socketserver.StreamRequestHandler):
    server: _Tcp

    def handle(self) -> None:
        self._imap = self.server.imap
        self._folder: dict[int, Mail] | None = None
        if self._imap.context and not self._imap.starttls:
            self._secure()
        if mischief := self._imap.instead.get("GREETING"):
            mischief(self.wfile)
            return
        self._say("* OK ready")
        while line := self.rfile.readline():
            tag, _, rest = line.decode().strip().partition(" ")
            command, _, words = rest.partition(" ")
            if command.upper() == "UID":
                command, _, words = words.partition(" ")
            self._imap.commands.append(f"{command} {words}")
            if self._imap.hang_up_at == command.upper():
                self._imap.hang_up_at = None
                return
            if mischief := self._imap.instead.get(command.upper()):
                mischief(self.wfile)
                return
            answer = getattr(self, f"_{command.lower()}", self._bad)(tag, words)
            self._say(f"{tag} {answer}")
            if command.upper() == "LOGOUT":
                return
            if command.upper() == "STARTTLS":
                self._secure()

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def _secure(self) -> None:
        assert self._imap.context
        self.connection = self._imap.context.wrap_socket(self.request, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _bad(self, *_: str) -> str:
        return "BAD what?"

    def _capability(self, *_: str) -> str:
        self._say(f"* CAPABILITY IMAP4rev1 AUTH=PLAIN{' STARTTLS' if self._imap.starttls else ''}")
        return "OK done"

    def _starttls(self, *_: str) -> str:
        return "OK go on"

    def _authenticate(self, tag: str, mechanism: str) -> str:
        self._say("+")
        said = base64.b64decode(self.rfile.readline())
        is_right = said == f"\0{USER}\0{PASSWORD}".encode()
        return "OK come in" if is_right else "NO [AUTHENTICATIONFAILED] wrong user or password"

    def _select(self, tag: str, words: str) -> str:
        name = re.sub(r"\\(.)", r"\1", words.removeprefix('"').removesuffix('"'))
        self._folder = self._imap.folders.get(name)
        if self._folder is None:
            return "NO [NONEXISTENT] there is no such folder"
        self._say(f"* {len(self._folder)} EXISTS")
        self._say("* OK [UIDVALIDITY 1] never another")
        return f"OK [READ-{'ONLY' if self._imap.read_only else 'WRITE'}] open"

    def _search(self, tag: str, words: str) -> str:
        assert self._folder is not None
        is_flagged = {"UNSEEN UNFLAGGED UNDELETED": False, "UNSEEN FLAGGED UNDELETED": True}[words]
        found = [
            str(uid)
            for uid, mail in self._folder.items()
            if not mail.flags & {r"\Seen", r"\Deleted"}
            and (r"\Flagged" in mail.flags) == is_flagged
        ]
        self._say(" ".join(["* SEARCH", *found]))
        return "OK done"

    def _fetch(self, tag: str, words: str) -> str:
        assert self._folder is not None
        asked = re.fullmatch(r"(\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", words)
        assert asked
        uid, most = int(asked[1]), int(asked[2])
        self._say(r"* 1 FETCH (UID 1 FLAGS (\Answered))")  # somebody else did this just now
        if uid in self._imap.unreadable:
            return "NO [SERVERBUG] the disk is broken"
        if uid in self._folder:
            content = self._folder[uid].content[:most]
            self.wfile.write(f"* 2 FETCH (BODY[]<0> {{{len(content)}}}\r\n".encode() + content)
            self._say(f" UID {uid})")
        return "OK done"

    def _store(self, tag: str, words: str) -> str:
        assert self._folder is not None
        asked = re.fullmatch(r"(\d+) \+FLAGS\.SILENT \((\S+)\)", words)
        assert asked
        if mail := self._folder.get(int(asked[1])):
            mail.flags.add(asked[2])
        return "OK done"

    def _logout(self, *_: str) -> str:
        self._say("* BYE")
        return "OK done"

"""A real SMTP or LMTP server of this machine; tests tell it what to do at each point.

Untold it does as servers do. What it is told is done once; told twice for a point, the second is for
the time after.
"""

import asyncio
import socket
import ssl
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import quote

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"


class Point(StrEnum):
    """The points of a conversation at which the server can be told to do otherwise."""

    GREETING = "greeting"
    EHLO = "EHLO"  # and LHLO
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    CONTENT = "content"  # after 354 and one line; not for saying something
    DOT = "final dot"  # the message is recorded before this answer
    RSET = "RSET"
    QUIT = "QUIT"


Said = str | bytes | None


@dataclass(frozen=True)
class Received:
    """A message that arrived whole, as the server took it off the wire (dots unstuffed).

    ``options`` are those of MAIL.
    """

    mail_from: str
    rcpt_to: tuple[str, ...]
    content: bytes
    over_tls: bool
    user: str | None
    options: tuple[str, ...] = ()


class Authority:
    """A private certificate authority; ``ca_file`` is what its clients trust."""

    def __init__(self, ca_file: Path) -> None:
        self._ca = trustme.CA()
        self._ca.cert_pem.write_to_path(str(ca_file))
        self.ca_file = ca_file

    def context_for(self, *names: str, until: datetime | None = None) -> ssl.SSLContext:
        """Return a server's context with a certificate for these names, by default a long-lived one."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(*names, not_after=until).configure_cert(context)
        return context


class SmtpServer:
    """The server: what it has received, and what it will say next.

    ``scheme`` is that of DIGEST_TRANSPORT: smtp, smtp+starttls (required, unless ``login`` and
    ``context`` say otherwise), smtps or lmtp. With ``smtputf8`` it takes addresses beyond ASCII, and
    with ``pipelining`` it offers what it can do anyway. Over one connection it takes
    ``most_recipients``. Each answer takes ``latency`` seconds on its way, as over a long line.

    It has a free port of 127.0.0.1, or a Unix socket at ``path``. Only used as a context manager;
    before it is entered, connections are refused.
    """

    def __init__(
        self,
        scheme: str = "smtp",
        *,
        context: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
        smtputf8: bool = False,
        pipelining: bool = False,
        most_recipients: int | None = None,
        latency: float = 0,
        path: Path | None = None,
    ) -> None:
        self.scheme = scheme
        self.path = path
        self.login = login
        self.pipelining = pipelining
        self.most_recipients = most_recipients
        self.latency = latency
        self.received: list[Received] = []
        self.connections = 0
        self.begun = 0  # transactions, whatever became of them
        self.heard: list[bytes] = []  # piece by piece, as it came off the wire
        self.to_nobody: list[bytes] = []  # content after a 354 that it was told to say
        # What it says where it was told nothing else, by point and recipient; None for the usual.
        self.habit: Callable[[Point, str], str | None] = lambda _point, _recipient: None
        self._script: dict[Point, deque[Act]] = defaultdict(deque)
        self._live: list[_Connection] = []
        # Bound here, so that the port is known and is nobody else's from the first moment.
        if path:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.bind(str(path))
        else:
            # With the protocol named: else asyncio leaves Nagle's algorithm on, and each EHLO waits.
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            self._socket.bind((HOST, 0))
        self.port: int = 0 if path else self._socket.getsockname()[1]
        implicit = scheme == "smtps"
        self._controller = _Controller(
            self,
            self._socket,
            ssl_context=context if implicit else None,
            tls_context=None if implicit else context,
            require_starttls=context is not None and not implicit,
            enable_SMTPUTF8=smtputf8,
        )

    def url(self, user: str = "", password: str = "") -> str:
        """Return the value for DIGEST_TRANSPORT."""
        if self.path:
            return f"{self.scheme}://{quote(str(self.path))}"
        who = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
        return f"{self.scheme}://{who}{HOST}:{self.port}"

    # ---- what it is told ---------------------------------------------------------------------

    def will_say(self, point: Point, reply: str | bytes) -> None:
        """Answer so, instead of the usual."""
        self._will(point, lambda _: _value(reply))

    def will_say_and_hang_up(self, point: Point, reply: str | bytes) -> None:
        async def act(connection: "_Connection") -> Said:
            await connection.push(reply)
            return await connection.hang_up()

        self._will(point, act)

    def will_hang_up(self, point: Point) -> None:
        self._will(point, lambda connection: connection.hang_up())

    def will_stall(self, point: Point) -> None:
        """Say nothing until the client has gone."""
        self._will(point, lambda _: _forever())

    def will_wait(self, point: Point, seconds: float) -> None:
        """Answer as usual, but late."""
        self._will(point, lambda _: asyncio.sleep(seconds))

    def will_flood(self, point: Point, octets: bytes, pause: float = 0) -> None:
        """Say this again and again until the client has gone."""

        async def act(connection: "_Connection") -> Said:
            while True:
                await connection.write(octets)
                await asyncio.sleep(pause)

        self._will(point, act)

    def _will(self, point: Point, act: "Act") -> None:
        self._script[point].append(act)

    def hang_up_now(self) -> None:
        """Close every connection, as a server does with an idle one."""

        async def hang_up() -> None:
            for connection in self._live:
                connection.abort()
            self._live.clear()

        asyncio.run_coroutine_threadsafe(hang_up(), self._controller.loop).result(10)

    def __enter__(self) -> Self:
        self._controller.start()
        self.connections = 0  # aiosmtpd has just tried itself out
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up_now()
        self._controller.stop()

    # ---- for the connections -----------------------------------------------------------------

    def connected(self, connection: "_Connection") -> None:
        self._live.append(connection)

    def check(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _method: str, given: object
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        user, password = given.login.decode(), given.password.decode()
        if (user, password) != self.login:
            return AuthResult(success=False, handled=False)
        return AuthResult(success=True, auth_data=user)

    async def answer(self, point: Point, connection: "_Connection", recipient: str = "") -> Said:
        """Do what it was told for this point; return the reply to give, or None for the usual."""
        if not self._script[point]:
            return self.habit(point, recipient)
        return await self._script[point].popleft()(connection)

    # ---- aiosmtpd's hooks --------------------------------------------------------------------

    async def handle_EHLO(  # noqa: N802  aiosmtpd's name
        self,
        server: "_Connection",
        session: Session,
        _envelope: Envelope,
        hostname: str,
        replies: list[str],
    ) -> list[Said]:
        if reply := await self.answer(Point.EHLO, server):
            if reply[:3] in ("250", b"250"):
                session.host_name = hostname
            return [reply]
        session.host_name = hostname
        return [*replies[:-1], *(["250-PIPELINING"] if self.pipelining else []), replies[-1]]

    async def handle_AUTH(  # noqa: N802  aiosmtpd's name
        self, server: "_Connection", _session: Session, _envelope: Envelope, _args: list[str]
    ) -> object:
        return await self.answer(Point.AUTH, server) or MISSING

    async def handle_MAIL(  # noqa: N802  aiosmtpd's name
        self,
        server: "_Connection",
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> Said:
        self.begun += 1
        if self.login and not session.authenticated:
            return "530 5.7.0 Authentication required"
        if reply := await self.answer(Point.MAIL, server):
            return reply
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self,
        server: "_Connection",
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> Said:
        reply = await self.answer(Point.RCPT, server, address)
        if reply is None and server.recipients == self.most_recipients:
            return "452 4.5.3 Too many recipients"
        reply = reply or "250 2.1.5 OK"
        if reply[:1] in ("2", b"2"):
            envelope.rcpt_tos.append(address)
            server.recipients += 1
        return reply

    async def handle_DATA(  # noqa: N802  aiosmtpd's name
        self, server: "_Connection", session: Session, envelope: Envelope
    ) -> Said:
        assert isinstance(envelope.content, bytes)
        self.received.append(
            Received(
                mail_from=envelope.mail_from or "",
                rcpt_to=tuple(envelope.rcpt_tos),
                content=envelope.content,
                over_tls=server.is_over_tls(),
                user=session.auth_data,
                options=tuple(envelope.mail_options),
            )
        )
        recipient = envelope.rcpt_tos[0] if envelope.rcpt_tos else ""
        return await self.answer(Point.DOT, server, recipient) or "250 2.0.0 OK"

    async def handle_RSET(  # noqa: N802  aiosmtpd's name
        self, server: "_Connection", _session: Session, _envelope: Envelope
    ) -> Said:
        return await self.answer(Point.RSET, server) or "250 OK"

    async def handle_QUIT(  # noqa: N802  aiosmtpd's name
        self, server: "_Connection", _session: Session, _envelope: Envelope
    ) -> Said:
        return await self.answer(Point.QUIT, server) or "221 Bye"


class _Connection(SMTP):
    """aiosmtpd's connection, with the points it has no hook for."""

    event_handler: SmtpServer
    recipients = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.event_handler.connected(self)

    def data_received(self, data: bytes) -> None:
        self.event_handler.heard.append(data)
        super().data_received(data)

    def is_over_tls(self) -> bool:
        assert self.transport is not None
        return self.transport.get_extra_info("sslcontext") is not None

    async def push(self, status: str | bytes) -> None:
        """Say a line. With a latency it is only sent on its way: meanwhile more may be heard."""
        line = (status.encode() if isinstance(status, str) else status) + b"\r\n"
        if latency := self.event_handler.latency:
            self.loop.call_later(latency, self._writer.write, line)
        else:
            await self.write(line)

    async def write(self, octets: bytes) -> None:
        self._writer.write(octets)
        await self._writer.drain()

    async def hang_up(self) -> None:
        """Close the connection; what was said before still arrives."""
        assert isinstance(self.transport, asyncio.WriteTransport)
        self.transport.close()
        await _forever()

    def abort(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    async def _handle_client(self) -> None:
        if reply := await self.event_handler.answer(Point.GREETING, self):
            await self.push(reply)
            await self.hang_up()
        await super()._handle_client()

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802  aiosmtpd's name
        if reply := await self.event_handler.answer(Point.STARTTLS, self):
            await self.push(reply)
        else:
            await super().smtp_STARTTLS(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  aiosmtpd's name
        script = self.event_handler
        if reply := await script.answer(Point.DATA, self):
            await self.push(reply)
            if reply[:3] in ("354", b"354"):
                await self._let_talk()
            return
        if script._script[Point.CONTENT]:
            await self.push("354 Go on")
            await self._reader.readuntil(b"\r\n")
            await script.answer(Point.CONTENT, self)
        await super().smtp_DATA(arg)

    async def _let_talk(self) -> None:
        """Read a content for no recipient, as servers do that say 354 too early."""
        lines: list[bytes] = []
        while (line := await self._reader.readuntil(b"\r\n")) != b".\r\n":
            lines.append(line)
        self.event_handler.to_nobody.append(b"".join(lines))
        await self.push("554 5.5.1 No valid recipients")


Act = Callable[[_Connection], Awaitable[Said]]


async def _value(said: Said) -> Said:
    return said


async def _forever() -> None:
    await asyncio.Event().wait()  # until the loss of the connection cancels this task


class _LmtpConnection(_Connection, LMTP):
    """The same, with LHLO for EHLO."""


class _Controller(Controller):
    def __init__(self, server: SmtpServer, listening: socket.socket, **options: object) -> None:
        super().__init__(server, hostname=HOST, port=server.port, loop=None, **options)
        self._listening = listening

    def _create_server(self):
        if self.handler.path:
            return self.loop.create_unix_server(self._factory_invoker, sock=self._listening)
        return self.loop.create_server(
            self._factory_invoker, sock=self._listening, ssl=self.ssl_context
        )

    def _trigger_server(self) -> None:
        if self.handler.path:
            with socket.socket(socket.AF_UNIX) as trying:
                trying.connect(str(self.handler.path))
                trying.recv(1024)
        else:
            super()._trigger_server()

    def factory(self) -> SMTP:
        self.handler.connections += 1
        kind = _LmtpConnection if self.handler.scheme == "lmtp" else _Connection
        return kind(
            self.handler,
            loop=self.loop,
            hostname="relay.test",
            authenticator=self.handler.check if self.handler.login else None,
            auth_require_tls=False,  # aiosmtpd does not see implicit TLS as TLS
            auth_exclude_mechanism=None if self.handler.login else ("LOGIN", "PLAIN"),
            **self.SMTP_kwargs,
        )


@contextmanager
def nobody_listens() -> Iterator[int]:
    """Yield a port of this machine that refuses connections: bound, but not listening."""
    with socket.socket() as bound:
        bound.bind((HOST, 0))
        yield bound.getsockname()[1]

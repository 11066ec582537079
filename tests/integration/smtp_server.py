"""A real SMTP or LMTP server of this machine, which answers and hangs up as it is told."""

import asyncio
import socket
import ssl
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import quote

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"


class Point(StrEnum):
    """Where in a transaction the server can be told to do otherwise."""

    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    CONTENT = "content"  # after 354 and one line; only for hanging up
    DOT = "final dot"  # the message is recorded before this answer


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

    def context_for(self, *names: str) -> ssl.SSLContext:
        """A server's context with a certificate for these names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(*names).configure_cert(context)
        return context


class SmtpServer:
    """What the server has received, and what it will say next.

    ``scheme`` is that of DIGEST_TRANSPORT: smtp, smtp+starttls (required, unless ``login`` and
    ``context`` say otherwise), smtps or lmtp. With ``smtputf8`` it takes addresses beyond ASCII. It
    has a free port of 127.0.0.1, or a Unix socket at ``path``. Only used as a context manager; before
    it is entered, connections are refused.
    """

    def __init__(
        self,
        scheme: str = "smtp",
        *,
        context: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
        smtputf8: bool = False,
        path: Path | None = None,
    ) -> None:
        self.scheme = scheme
        self.path = path
        self.login = login
        self.received: list[Received] = []
        self.connections = 0
        self.begun = 0  # transactions, whatever became of them
        self._script: dict[Point, deque[str | None]] = defaultdict(deque)
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
        """For DIGEST_TRANSPORT."""
        if self.path:
            return f"{self.scheme}://{quote(str(self.path))}"
        who = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
        return f"{self.scheme}://{who}{HOST}:{self.port}"

    def will_say(self, point: Point, reply: str) -> None:
        """The answer when this point is reached next; told twice, the second is for the time after."""
        self._script[point].append(reply)

    def will_hang_up(self, point: Point) -> None:
        self._script[point].append(None)

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

    async def answer(self, point: Point, connection: "_Connection") -> str | None:
        """What is to be said at a point, or None for the usual."""
        if not self._script[point]:
            return None
        reply = self._script[point].popleft()
        if reply is None:
            connection.abort()
            await asyncio.Event().wait()  # until the loss of the connection cancels this task
        return reply

    # ---- aiosmtpd's hooks --------------------------------------------------------------------

    async def handle_MAIL(  # noqa: N802  aiosmtpd's name
        self,
        server: "_Connection",
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
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
    ) -> str:
        reply = await self.answer(Point.RCPT, server) or "250 2.1.5 OK"
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(  # noqa: N802  aiosmtpd's name
        self, server: "_Connection", session: Session, envelope: Envelope
    ) -> str:
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
        return await self.answer(Point.DOT, server) or "250 2.0.0 OK"


class _Connection(SMTP):
    """aiosmtpd's connection, with the two points it has no hook for."""

    event_handler: SmtpServer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.event_handler.connected(self)

    def is_over_tls(self) -> bool:
        assert self.transport is not None
        return self.transport.get_extra_info("sslcontext") is not None

    def abort(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  aiosmtpd's name
        script = self.event_handler
        if reply := await script.answer(Point.DATA, self):
            await self.push(reply)
            return
        if script._script[Point.CONTENT]:
            await self.push("354 Go on")
            await self._reader.readuntil(b"\r\n")
            await script.answer(Point.CONTENT, self)
        await super().smtp_DATA(arg)


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
    """A port of this machine that refuses connections: bound, but not listening."""
    with socket.socket() as bound:
        bound.bind((HOST, 0))
        yield bound.getsockname()[1]

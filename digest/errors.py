"""What can go wrong, drawn once.

DigestError            base: its text is one clear line for the person at the shell
├── SettingError       a setting is missing or malformed; names it
├── SourceError        a source or a file could not be read at all
├── TemplateError      a template cannot be rendered; names the template and the line
├── NothingToShow      no paper of a digest can be rendered, though the template can
├── MessageTooLarge    a rendered message would be clipped by its reader
├── TransportError     the relay or folder cannot be used now: nothing was sent
├── ServiceError       a part of `digest up` cannot begin
├── Stopped            told to stop, and so broken off; to be done by the next start
├── InboxError         a mailbox cannot be read
└── LedgerError        the database is missing, behind, or not to be used
    └── Busy           somebody else holds the ledger for the same work

Expected outcomes are values (model.messages.Outcome, model.papers.Rejection), not exceptions.
"""


class DigestError(Exception):
    pass


class SettingError(DigestError):
    pass


class SourceError(DigestError):
    pass


class TemplateError(DigestError):
    """``line`` is 0 where it is not known."""

    def __init__(self, template: str, line: int, what: str) -> None:
        where = f"{template}, line {line}" if line else template
        super().__init__(f"{where}: {what}")
        self.template = template
        self.line = line
        self.what = what


class NothingToShow(DigestError):  # noqa: N818  the name says it without "Error"
    pass


class MessageTooLarge(DigestError):  # noqa: N818  the name says it without "Error"
    pass


class TransportError(DigestError):
    pass


class ServiceError(DigestError):
    pass


class Stopped(DigestError):  # noqa: N818  the name says it without "Error"
    pass


class InboxError(DigestError):
    pass


class LedgerError(DigestError):
    pass


class Busy(LedgerError):  # noqa: N818  the name says it without "Error"
    pass

"""The errors that are expected, as a tree.

DigestError            base: its text is one clear line for the person at the shell
├── SettingError       a setting is missing or malformed; names it
├── SourceError        a source or a file could not be read at all
│   └── Unreachable    its server gave no answer, after all attempts
├── TemplateError      a template cannot be rendered; names the template and the line
├── NothingToShow      no paper of a digest can be rendered, though the template can
├── MessageTooLarge    a mail client would clip the rendered message
├── AnnouncementError  the operator's text or choice of readers cannot be an announcement
├── TransportError     the relay or folder cannot be used now: nothing was sent
├── ServiceError       a part of `digest up` cannot begin
├── Stopped            broken off because the program was told to stop; the next start does it
├── InboxError         a mailbox cannot be read
└── LedgerError        the database is missing, behind, or must not be used
    └── Busy           another process holds the ledger for the same work

Expected outcomes are values (model.messages.Outcome, model.papers.Rejection), not exceptions.
"""


class DigestError(Exception):
    pass


class SettingError(DigestError):
    pass


class SourceError(DigestError):
    pass


class Unreachable(SourceError):  # noqa: N818  the name says it without "Error"
    pass


class TemplateError(DigestError):
    """``line`` is 0 if it is not known."""

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


class AnnouncementError(DigestError):
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

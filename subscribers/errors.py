"""The errors of this package.

SubscriberError
├── AddressError    the text is not an address that we can send to
├── TopicError      the text is not a topic filter
├── PreferenceError the text is not a time, a cadence, a number of papers …
├── ConsentError    the request contradicts the person's consent
├── ElsewhereError  the form to join was sent from another site
├── ProofError      the proof of work is missing, wrong or too old
├── HeaderError     a file says in no way, or in two, what its columns are
├── LineError       a line of a file is no record
└── TokenError      the link's signature is not valid
"""

from subscribers.sentences import Sentence


class SubscriberError(Sentence, Exception):
    """The base of these errors: each is a sentence that may be shown to the person.

    ``code`` tells programs what it is about, in any language.
    """

    code = "unreadable"


class AddressError(SubscriberError):
    code = "address"


class TopicError(SubscriberError):
    code = "topic"


class PreferenceError(SubscriberError):
    code = "preference"


class ConsentError(SubscriberError):
    code = "consent"


class ElsewhereError(SubscriberError):
    code = "elsewhere"


class ProofError(SubscriberError):
    code = "proof"


class HeaderError(SubscriberError):
    code = "header"


class LineError(SubscriberError):
    code = "line"


class TokenError(SubscriberError):
    code = "link"

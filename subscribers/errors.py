"""The errors of this package.

SubscriberError
├── AddressError    the text is not an address that we can send to
├── TopicError      the text is not a topic filter
├── PreferenceError the text is not a time, a cadence, a number of papers …
├── ConsentError    the request contradicts the person's consent
└── TokenError      the link's signature is not valid
"""


class SubscriberError(Exception):
    """The base of these errors. The text of each may be shown to the person."""


class AddressError(SubscriberError):
    pass


class TopicError(SubscriberError):
    pass


class PreferenceError(SubscriberError):
    pass


class ConsentError(SubscriberError):
    pass


class TokenError(SubscriberError):
    pass

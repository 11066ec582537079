"""What can go wrong with people's data.

SubscriberError
├── AddressError    the text is not a mail address we can use
├── TopicError      the text is not a topic filter
├── PreferenceError the text is not a time, a cadence, a number of papers …
├── ConsentError    what is asked would go against what the person said
└── TokenError      the link's signature does not hold
"""


class SubscriberError(Exception):
    """Base of everything this package raises on purpose; its text is fit to be shown."""


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

"""A site in use: its clock, who asks it for what, and the letters that it has sent."""

import re

from tests.integration.browser import CLIENT, HOST, Browser, assert_safe
from tests.integration.site import make_web
from tests.raw_message import read
from tests.support import NOW


class House:
    """Fields of PageContext and Site may be changed by name."""

    def __init__(self, ledger, registry, **changes):
        self.registry = registry
        self.now = NOW
        self.mails = []
        app = make_web(ledger, registry, clock=lambda: self.now, mails=self.mails, **changes)
        self.browser = Browser(app)

    def ask(self, method, path, fields=None, *, client=CLIENT, **values):
        """One request; ``fields`` go the way of a form."""
        if fields is not None:
            values["data"] = fields
        answer = self.browser.ask(method, path, client=client, **values)
        assert_safe(answer)
        return answer

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, fields=None, **values):
        return self.ask("POST", path, fields, **values)

    def subscribe(self, address, topics="", *, client=CLIENT, **fields):
        """Send the sign-up form, with what else is on it by name."""
        return self.post(
            "/subscribe", {"address": address, "topics": topics, **fields}, client=client
        )

    @property
    def mailed(self):
        """To whom letters went, in order."""
        return [mail.envelope.rcpt_to for mail in self.mails]

    def link(self, number=-1):
        """The path of the one link in a letter, the last if no other is asked for."""
        text = read(self.mails[number].content).parts[0].text
        return re.search(rf"{HOST}(/\S+)", text)[1]

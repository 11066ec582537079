"""Behind a proxy: whose word on the client's address counts."""

import pytest

from digest.deliver.transport.mx import takes_mail
from digest.service.web_server import WebServer
from subscribers.web.page_context import MOST_PER_CLIENT
from tests.integration.browser import Browser
from tests.integration.dns_zone import Zone
from tests.integration.site import make_web

PROXY, OTHER = "172.18.0.2", "198.51.100.1"


@pytest.mark.parametrize(
    ("proxy", "served"), [(PROXY, MOST_PER_CLIENT + 3), (OTHER, MOST_PER_CLIENT)]
)
def test_only_a_trusted_proxy_tells_clients_apart(ledger, registry, proxy, served):
    server = WebServer(
        make_web(ledger, registry), "127.0.0.1", 0,
        ready=lambda: None, trusted_proxies=["127.0.0.1", "172.16.0.0/12"],
    )  # fmt: skip
    server._listening.close()
    server.config.load()
    browser = Browser(server.config.loaded_app)
    statuses = [
        browser.ask(
            "POST", "/subscribe", client=proxy,
            data={"address": f"reader{number}@example.org"},
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
        ).status_code
        for number in range(MOST_PER_CLIENT + 3)
    ]  # fmt: skip
    assert statuses.count(200) == served


@pytest.mark.parametrize(
    ("domain", "takes"),
    [
        ("gmail.com", True),
        ("no-mail.com", False),  # a null MX (RFC 7505)
        ("gmail.con", False),
        ("silent.com", True),
        ("example.org", True),  # reserved: nobody is asked
    ],
)
def test_a_domain_takes_mail_unless_the_dns_denies_it(domain, takes):
    records = {("gmail.com", "MX"): ["5 mx.google.com."], ("no-mail.com", "MX"): ["0 ."]}
    zone = Zone(records, silent=["silent.com"])
    assert takes_mail(domain, zone) is takes
    assert zone.asked == ([] if domain == "example.org" else [(domain, "MX")])

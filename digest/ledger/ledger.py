"""The ledger: papers, editions and deliveries in one database."""

import time
from collections.abc import Callable

from sqlalchemy import Engine

from digest.ledger.bounces import Bounces
from digest.ledger.deliveries import Deliveries
from digest.ledger.editions import Editions
from digest.ledger.health import Health
from digest.ledger.history import History
from digest.ledger.instances import Instances
from digest.ledger.last_runs import LastRuns
from digest.ledger.live_workers import LiveWorkers
from digest.ledger.mail_domains import MailDomains
from digest.ledger.outcomes import Outcomes
from digest.ledger.papers import Papers
from digest.ledger.provider_queues import ProviderQueues
from digest.ledger.retention import OldRows
from digest.ledger.reviews import Reviews
from digest.ledger.uncertain import Uncertain


class Ledger:
    """The parts of one ledger. ``sleep`` is called between blocks of rows."""

    def __init__(self, engine: Engine, sleep: Callable[[float], None] = time.sleep) -> None:
        self.engine = engine
        self.papers = Papers(engine, sleep)
        self.editions = Editions(engine)
        self.deliveries = Deliveries(engine)
        self.bounces = Bounces(engine)
        self.provider_queues = ProviderQueues(engine)
        self.mail_domains = MailDomains(engine)
        self.outcomes = Outcomes(engine)
        self.live_workers = LiveWorkers(engine)
        self.uncertain = Uncertain(engine)
        self.history = History(engine)
        self.health = Health(engine)
        self.instances = Instances(engine)
        self.last_runs = LastRuns(engine)
        self.reviews = Reviews(engine)
        self.old_rows = OldRows(engine, sleep)

"""The ledger: papers, editions and deliveries in one database."""

import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import Engine

from digest.ledger.alerts import Alerts
from digest.ledger.announcements import Announcements
from digest.ledger.bounces import Bounces
from digest.ledger.browsing import Browsing
from digest.ledger.chosen_papers import ChosenPapers
from digest.ledger.deliveries import Deliveries, HandOut, hand_out_nothing
from digest.ledger.editions import Editions
from digest.ledger.health import Health
from digest.ledger.history import History
from digest.ledger.instances import Instances
from digest.ledger.last_runs import LastRuns
from digest.ledger.live_workers import SILENCE, LiveWorkers
from digest.ledger.mail_domains import MailDomains
from digest.ledger.outcomes import Outcomes
from digest.ledger.papers import Papers
from digest.ledger.pictures import Pictures
from digest.ledger.provider_queues import ProviderQueues
from digest.ledger.retention import OldRows
from digest.ledger.reviews import Reviews
from digest.ledger.search_index import SearchIndex
from digest.ledger.searched_papers import SearchedPapers
from digest.ledger.shards import Shards
from digest.ledger.summaries import Summaries
from digest.ledger.uncertain import Uncertain


class Ledger:
    """The parts of one ledger.

    ``sleep`` is called between blocks of rows, ``hand_out`` in the transaction that plans
    deliveries. A worker that is silent for longer than ``silence`` counts as dead.
    """

    def __init__(
        self,
        engine: Engine,
        sleep: Callable[[float], None] = time.sleep,
        hand_out: HandOut = hand_out_nothing,
        silence: timedelta = SILENCE,
    ) -> None:
        self.engine = engine
        self.papers = Papers(engine, sleep)
        self.browsing = Browsing(engine)
        self.pictures = Pictures(engine)
        self.summaries = Summaries(engine)
        self.search_index = SearchIndex(engine, sleep)
        self.searched = SearchedPapers(engine)
        self.editions = Editions(engine)
        self.announcements = Announcements(engine)
        self.chosen = ChosenPapers(engine)
        self.deliveries = Deliveries(engine, hand_out)
        self.bounces = Bounces(engine)
        self.provider_queues = ProviderQueues(engine)
        self.mail_domains = MailDomains(engine)
        self.outcomes = Outcomes(engine)
        self.live_workers = LiveWorkers(engine, silence)
        self.shards = Shards(engine)
        self.uncertain = Uncertain(engine)
        self.history = History(engine)
        self.health = Health(engine)
        self.instances = Instances(engine)
        self.last_runs = LastRuns(engine)
        self.reviews = Reviews(engine)
        self.alerts = Alerts(engine)
        self.old_rows = OldRows(engine, sleep)

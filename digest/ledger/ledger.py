"""The ledger: papers, editions and deliveries in one database."""

from sqlalchemy import Engine

from digest.ledger.deliveries import Deliveries
from digest.ledger.editions import Editions
from digest.ledger.history import History
from digest.ledger.outcomes import Outcomes
from digest.ledger.papers import Papers
from digest.ledger.uncertain import Uncertain


class Ledger:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.papers = Papers(engine)
        self.editions = Editions(engine)
        self.deliveries = Deliveries(engine)
        self.outcomes = Outcomes(engine)
        self.uncertain = Uncertain(engine)
        self.history = History(engine)

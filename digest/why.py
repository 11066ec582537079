"""Why a subscriber got what they got on a day: each step, in words."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from digest.model import DeliveryReport, Digest, Edition
from digest.rank.ranker import ENOUGH_OPINIONS, TopicFit
from subscribers.model import PersonFile, Verdict


@dataclass(frozen=True, slots=True)
class Why:
    """Everything that decided about one subscriber and one edition."""

    person: PersonFile
    day: date
    edition: Edition | None = None
    topics: tuple[TopicFit, ...] = ()
    digest: Digest | None = None
    delivery: DeliveryReport | None = None

    @property
    def opinions(self) -> dict[Verdict, int]:
        held = [opinion.verdict for opinion in self.person.opinions]
        return {verdict: held.count(verdict) for verdict in Verdict}

    def lines(self) -> list[str]:
        """The steps, one a line."""
        return [*self._about_the_person(), *self._about_the_edition(), *self._about_the_mail()]

    def _about_the_person(self) -> list[str]:
        who, wishes = self.person.subscriber, self.person.subscriber.preferences
        lines = [f"{who.address}: {who.consent} since {who.since:%Y-%m-%d}, {wishes.how_often}"]
        if self.person.suppression:
            lines.append(f"blocked: {self.person.suppression.reason}")
        if wishes.is_paused_on(self.day):
            lines.append(f"paused until {wishes.paused_until}")
        if not wishes.wants_mail_on(self.day):
            lines.append(f"{self.day:%A} is none of their days")
        likes, mutes = self.opinions[Verdict.LIKE], self.opinions[Verdict.MUTE]
        if likes:
            lines.append(f"liked papers: {likes}, {_effect(likes, 'which count as a topic')}")
        if mutes:
            lines.append(
                f"muted papers: {mutes}, {_effect(mutes, 'which push papers like them back')}"
            )
        return lines

    def _about_the_edition(self) -> list[str]:
        if self.edition is None:
            return [f"there is no edition of {self.day}"]
        lines = [f"edition of {self.day}: {len(self.edition.candidates)} papers"]
        for each in self.topics:
            best = f"; best {each.score:.2f} {each.best}" if each.best else ""
            lines.append(f"  {each.topic}: {each.fitting} fit{best}")
        return lines

    def _about_the_mail(self) -> list[str]:
        lines = []
        if self.digest:
            for number, pick in enumerate(self.digest.picks, 1):
                why = ""
                if pick.match:
                    reason = pick.match.reason
                    said = reason.liked or ", ".join(reason.words)
                    why = f"  {pick.match.score:.2f} {reason.topic or 'likes'}: {said}"
                lines.append(f"  {number}. [{pick.section}] {pick.candidate.facts.title}{why}")
        elif self.edition:
            lines.append("nothing in it for them")
        if self.delivery:
            more = self.delivery.reason or self.delivery.last_words
            lines.append(f"delivery: {self.delivery.state}" + (f" ({more})" if more else ""))
        else:
            lines.append("delivery: none planned")
        return lines

    def to_json(self) -> dict[str, Any]:
        return {
            "address": self.person.subscriber.address,
            "day": self.day.isoformat(),
            "consent": self.person.subscriber.consent.value,
            "suppressed": self.person.suppression and self.person.suppression.reason.value,
            "likes": self.opinions[Verdict.LIKE],
            "mutes": self.opinions[Verdict.MUTE],
            "topics": [
                {
                    "topic": each.topic,
                    "fitting": each.fitting,
                    "best": each.best,
                    "score": round(each.score, 4),
                }
                for each in self.topics
            ],
            "papers": [
                {
                    "id": pick.candidate.key,
                    "title": pick.candidate.facts.title,
                    "section": pick.section.value,
                    "score": pick.match and round(pick.match.score, 4),
                    "topic": pick.match and pick.match.reason.topic,
                    "words": pick.match and list(pick.match.reason.words),
                    "liked": pick.match and pick.match.reason.liked,
                }
                for pick in (self.digest.picks if self.digest else ())
            ],
            "delivery": self.delivery
            and {
                "state": self.delivery.state.value,
                "reason": self.delivery.reason,
                "last_words": self.delivery.last_words,
            },
        }


def _effect(count: int, what: str) -> str:
    return what if count >= ENOUGH_OPINIONS else f"too few to count yet ({ENOUGH_OPINIONS} do)"

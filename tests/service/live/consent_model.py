"""A naive model of consent: what somebody with a notebook would say is on. It knows nothing of the service."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

TICK = timedelta(microseconds=1)
PURPOSES = (
    "match_serve", "be_shown_as_peer", "show_reasons", "train_model", "fairness_audit", "fairness_balance",
    "outcome_followup",
)  # fmt: skip


@dataclass
class Word:
    """The last word of a person about a purpose."""

    decision: str
    version: str
    at: datetime
    until: datetime | None = None


@dataclass
class Person:
    """What is known of one member."""

    words: dict[str, Word] = field(default_factory=dict)
    holds: dict[str, datetime | None] = field(default_factory=dict)
    """When each hold ends; None: when it is lifted."""
    over: set[str] = field(default_factory=set)
    """Holds that have ended."""

    def hold(self, number: str, end: datetime | None, now: datetime) -> None:
        """Write down a hold. All are looked at anew: where the clock was set back, some may run again."""
        self.holds = {one: until for one, until in self.holds.items() if until is None or now < until}
        self.holds[number] = end
        self.over.clear()

    def lift(self) -> None:
        """Cross out every hold."""
        self.holds.clear()
        self.over.clear()


@dataclass
class Notebook:
    """Everybody's last words, the policy and the time."""

    now: datetime
    version: str = "1"
    people: dict[str, Person] = field(default_factory=dict)
    blocked: set[frozenset[str]] = field(default_factory=set)
    erased_at: dict[str, datetime] = field(default_factory=dict)

    def decide(self, name: str, purpose: str, decision: str, until: datetime | None = None) -> None:
        """Write down what the service is told: it is the last word, whatever other clocks said."""
        words = self.people[name].words
        at = self.now
        if purpose in words and words[purpose].at >= at:
            at = words[purpose].at + TICK
        words[purpose] = Word(decision, self.version, at, until)

    def tell(self, name: str, purpose: str, at: datetime, until: datetime | None) -> None:
        """Write down a grant of a record, which has a date of its own: an older one changes nothing."""
        words = self.people[name].words
        before = words.get(purpose)
        if before is None or at > before.at or (at == before.at and before.decision in ("given", "expired")):
            words[purpose] = Word("given", self.version, at, until)

    def withdraw_all(self, name: str) -> None:
        """Write down that everything that was given is withdrawn."""
        for purpose, word in self.people[name].words.items():
            if word.decision == "given":
                self.decide(name, purpose, "withdrawn")

    def look(self) -> None:
        """Cross out for good whatever has come to its end by now: no clock set back brings it back."""
        for person in self.people.values():
            for word in person.words.values():
                if word.decision == "given" and word.until is not None and max(word.at, word.until) <= self.now:
                    word.decision, word.until = "expired", None
            person.over |= {hold for hold, end in person.holds.items() if end is not None and end <= self.now}

    def may(self, name: str, purpose: str) -> bool:
        """Whether the last word is a yes that holds. Of a yes dated ahead it is one too: the clock was set back."""
        person = self.people.get(name)
        word = None if person is None else person.words.get(purpose)
        if word is None or word.decision != "given" or word.version != self.version:
            return False
        return word.until is None or self.now < word.until

    def on(self, name: str, purpose: str) -> bool:
        """Whether it is on to the letter: also not before its date."""
        return self.may(name, purpose) and self.people[name].words[purpose].at <= self.now

    def held(self, name: str) -> bool:
        """Whether a hold runs."""
        person = self.people[name]
        return any(hold not in person.over and (end is None or self.now < end) for hold, end in person.holds.items())

    def apart(self, one: str, other: str) -> bool:
        """Whether the two are blocked."""
        return frozenset((one, other)) in self.blocked

    def behind(self) -> bool:
        """Whether the clock is behind of anything that was written down."""
        return any(word.at > self.now for person in self.people.values() for word in person.words.values())

    def ends(self) -> list[datetime]:
        """Return every end of a grant that has not come yet."""
        return sorted(
            word.until
            for person in self.people.values()
            for word in person.words.values()
            if word.decision == "given" and word.until is not None and self.now < word.until
        )

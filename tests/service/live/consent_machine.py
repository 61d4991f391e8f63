"""Whatever is decided, in whatever order: nobody without an active consent is returned, scored, learned from or logged.

One programme, two seekers and three supporters. After every step lists are asked for, the consent log is read anew, and
all is compared with a naive notebook.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from matcher import release
from matcher.consent import ConsentEvent, fold
from matcher.errors import ConsentMissingError, UnknownMemberError
from matcher.matching import shortlist
from matcher.model.answers import answers
from matcher.model.encoder import ProfileEncoder
from matcher.model.features import pair_features
from service.cli import train
from service.live.group_lists import Groups
from service.live.listing import Kind, LiveList
from service.live.peers import Peers
from service.live.pool_cache import PoolCache
from service.live.shortlists import Shortlists
from service.store import consent_check, consent_log, members, shown
from tests.service.installation import NOON, Installation, close, copied, record
from tests.service.live.consent_model import PURPOSES, Notebook, Person

SEEKERS = ("s-0", "s-1")
NAMES = (*SEEKERS, "p-0", "p-1", "p-2")
SHOWN = NAMES[1:]
"""Who supports."""
MATCHING = PURPOSES[:2]
GROUP = "g-1"
FACILITATOR = "p-0"

MEMORY = Path("/dev/shm")
"""Where no disk is waited for; whether decisions reach one is another test."""
EVENT = ("purpose", "decision", "policy_version", "at", "valid_until", "actor")
ANYBODY = st.sampled_from(NAMES)
ANY_PURPOSE = st.sampled_from((*MATCHING, *MATCHING, "train_model", "show_reasons"))
LASTS = st.sampled_from([None, None, 1, 60, 86_400])
"""Seconds for which a grant holds."""


class Violation(AssertionError):
    """What must not be."""


def check(right: object, what: str) -> None:
    """Raise `Violation` unless `right`."""
    if not right:
        raise Violation(what)


class Machine(RuleBasedStateMachine):
    """One installation, and the notebook of what happened to it."""

    template: ClassVar[Installation]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        self.made = copied(self.template, self.folder / "copy")
        self.book = Notebook(NOON)
        self.copies: dict[str, list[dict[str, Any]]] = {}
        """What a partner knows of each history: not what the service notes."""
        self.scored: set[tuple[str, str]] = set()
        self.logged: set[tuple[Any, ...]] = set()
        self._patched = pytest.MonkeyPatch()
        self._patched.setattr(shortlist, "score", self._listening(shortlist.score))

    def teardown(self) -> None:
        """Leave nothing open."""
        self._patched.undo()
        close(self.made)
        shutil.rmtree(self.folder)

    def _listening(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def score(pool: Any, affinity: Any, seeker: Any, rows: Any) -> Any:
            self.scored |= {(seeker.profile.member_id, pool.ids[row]) for row in rows.tolist()}
            return real(pool, affinity, seeker, rows)

        return score

    # What happens ---------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, body: Any = None, expected: tuple[int, ...] = (200, 201, 204)) -> Any:
        """Send a request, which must be answered as expected."""
        reply = self.made.call(method, path, body)
        check(reply.status_code in expected, f"{method} {path}: {reply.status_code} {reply.get_data(as_text=True)}")
        return reply

    def turned(self, to: datetime) -> None:
        self.made.clock.now = self.book.now = to

    @initialize()
    def everybody(self) -> None:
        """Let everybody in, with consent to be matched."""
        for name in NAMES:
            self.put(name, MATCHING, None)
        body = {"name": "A group", "facilitators": [FACILITATOR], "channel": "phone", "capacity": 9, "min_size": 1,
                "open": True, "members": ["p-1"]}  # fmt: skip
        self.call("PUT", f"/v1/groups/{GROUP}", body)

    @rule(name=ANYBODY, purposes=st.sets(ANY_PURPOSE, max_size=2).map(sorted), lasts=LASTS)
    def put(self, name: str, purposes: list[str] | tuple[str, ...], lasts: int | None) -> None:
        """Store a record, new or not, that tells of grants: with the history that a partner knows."""
        until = None if lasts is None else self.book.now + timedelta(seconds=lasts)
        roles = ["seeker"] if name == "s-0" else ["seeker", "supporter"] if name == "s-1" else ["supporter"]
        told = [*self.copies.get(name, ()), *(self._event(purpose, until) for purpose in purposes)]
        body = record(name, *roles, capacity=9, consents=told)
        reply = self.call("PUT", f"/v1/members/{name}", body, (200, 201, 409))
        if reply.status_code == 409:  # nothing was decided since the erasure, or the clock was set back before it
            erased_at = self.book.erased_at.get(name)
            back = erased_at is not None and self.book.now <= erased_at
            check(erased_at and (back or name not in self.book.people), reply.get_data(as_text=True))
            return
        self.copies[name] = told
        self.book.people.setdefault(name, Person())
        for purpose in purposes:
            self.book.tell(name, purpose, self.book.now, until)

    def _event(self, purpose: str, until: datetime | None) -> dict[str, Any]:
        ends = {} if until is None else {"valid_until": until.isoformat()}
        at = self.book.now.isoformat()
        return {"purpose": purpose, "decision": "given", "policy_version": self.book.version, "at": at, **ends}

    def _decide(self, name: str, body: dict[str, Any]) -> bool:
        there = name in self.book.people
        reply = self.call("POST", f"/v1/members/{name}/consents", body, (200, 201) if there else (404,))
        if there:
            told = reply.get_json()
            events = told.get("events", [told])
            self.copies[name] += [{key: event[key] for key in event if key in EVENT} for event in events]
        return there

    @rule(name=ANYBODY, purpose=ANY_PURPOSE, lasts=LASTS)
    def give(self, name: str, purpose: str, lasts: int | None) -> None:
        """Consent, for a while or for good."""
        until = None if lasts is None else self.book.now + timedelta(seconds=lasts)
        ends = {} if until is None else {"valid_until": until.isoformat()}
        word = self.book.people.get(name, Person()).words.get(purpose)
        if until is not None and word is not None and word.at >= until:
            return  # the clock was set back: it would end before it begins
        if self._decide(name, {"purpose": purpose, "decision": "given", **ends}):
            self.book.decide(name, purpose, "given", until)

    @rule(name=ANYBODY, purpose=ANY_PURPOSE, decision=st.sampled_from(["refused", "withdrawn"]))
    def take_back(self, name: str, purpose: str, decision: str) -> None:
        """Refuse or withdraw one purpose."""
        if self._decide(name, {"purpose": purpose, "decision": decision}):
            self.book.decide(name, purpose, decision)

    @rule(name=ANYBODY)
    def take_everything_back(self, name: str) -> None:
        """Withdraw all in one call."""
        if self._decide(name, {"purpose": "all", "decision": "withdrawn"}):
            self.book.withdraw_all(name)

    @precondition(lambda self: self.book.ends())
    @rule(data=st.data(), seconds=st.sampled_from([-1, 0, 0]))
    def run_to_an_end(self, data: st.DataObject, seconds: int) -> None:
        """Let the clock run to a second before the end of a grant, or to the very end."""
        end = data.draw(st.sampled_from(self.book.ends()))
        self.turned(max(self.book.now, end + timedelta(seconds=seconds)))

    @rule(seconds=st.sampled_from([1, 59, 3600, 86_400]))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.turned(self.book.now + timedelta(seconds=seconds))

    @rule()
    def set_the_clock_back(self) -> None:
        """Set it back a day."""
        self.turned(self.book.now - timedelta(days=1))

    @rule()
    def ask_anew(self) -> None:
        """Apply another policy version, or the one before."""
        before, self.book.version = self.book.version, "2" if self.book.version == "1" else "1"
        text = self.made.programme.source
        self.made.apply(text.replace(f'policy_version = "{before}"', f'policy_version = "{self.book.version}"'))

    @rule(name=ANYBODY, lasts=st.sampled_from([None, 60]))
    def hold(self, name: str, lasts: int | None) -> None:
        """Hold somebody."""
        until = None if lasts is None else self.book.now + timedelta(seconds=lasts)
        body = {"kind": "pause", **({} if until is None else {"until": until.isoformat()})}
        there = name in self.book.people
        reply = self.call("POST", f"/v1/members/{name}/holds", body, (201,) if there else (404,))
        if there:
            self.book.people[name].hold(reply.get_json()["id"], until, self.book.now)

    @rule(name=ANYBODY)
    def lift(self, name: str) -> None:
        """Lift every hold of somebody."""
        for hold in self.book.people.get(name, Person()).holds:
            self.call("DELETE", f"/v1/members/{name}/holds/{hold}", None, (204, 404))
        self.book.people.get(name, Person()).lift()

    @rule(pair=st.sets(ANYBODY, min_size=2, max_size=2).map(sorted))
    def block_or_unblock(self, pair: list[str]) -> None:
        """Block two, or unblock them."""
        key = frozenset(pair)
        there = all(name in self.book.people for name in pair)
        if key in self.book.blocked:
            self.call("DELETE", f"/v1/blocks/{pair[0]}/{pair[1]}")
            self.book.blocked.discard(key)
        elif there:
            self.call("POST", "/v1/blocks", {"a": pair[0], "b": pair[1]})
            self.book.blocked.add(key)

    @rule(name=ANYBODY)
    def erase(self, name: str) -> None:
        """Erase somebody."""
        there = name in self.book.people
        self.call("DELETE", f"/v1/members/{name}", None, (200,) if there else (404,))
        if there:
            del self.book.people[name], self.copies[name]
            self.book.erased_at[name] = self.book.now
            self.book.blocked = {pair for pair in self.book.blocked if name not in pair}

    @rule()
    def restart(self) -> None:
        """Let the worker forget its pools, and take who is visible from tomorrow in at once."""
        self.pools._held.clear()
        with self.made.store.transaction() as session:
            members.show_all(session, "lantern", self.book.now.date())

    @rule(seeker=st.sampled_from(SEEKERS))
    def ask_for_groups(self, seeker: str) -> None:
        """Ask for a list of groups: the one there is must not be run by somebody who may not be shown."""
        try:
            found = self.list_of(seeker, Groups())
        except (UnknownMemberError, ConsentMissingError):
            check(not self.book.on(seeker, "match_serve"), f"{seeker} gets no groups")
            return
        if found.result == "held":
            check(self.book.held(seeker) and not found.alive, f"{seeker} is held")
            return
        check(self.book.may(seeker, "match_serve"), f"{seeker} gets groups")
        if found.alive:
            check(self.may_see(seeker, FACILITATOR), f"{seeker} sees a group")

    @rule(seeker=st.sampled_from(SEEKERS), name=st.sampled_from(SHOWN))
    def answer(self, seeker: str, name: str) -> None:
        """Tell that a seeker said yes long ago, of which alone there is something to learn, and learn."""
        if seeker != name and {seeker, name} <= self.book.people.keys():
            at = f"{NOON - timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}"
            self.made.tell({"seeker": seeker, "candidate": name, "event": "accepted", "at": at})
            self.learn()

    @rule()
    def learn(self) -> None:
        """Take the rows that `peermatch train` would learn from."""
        material = train._read(self.made.store, "lantern", self.book.now)
        profiles = release._profiles(material.programme, material.members, self.book.now)
        labelled = answers(material.feedback, material.programme, self.book.now)
        encoder = ProfileEncoder(material.programme).fit(profiles)
        pairs = pair_features(material.programme, encoder, profiles, labelled, self.book.now)
        for asker, asked in zip(pairs.asker.tolist(), pairs.asked.tolist(), strict=True):
            one, other = pairs.people[asker], pairs.people[asked]
            check(self.book.on(one, "train_model") and self.book.on(one, "match_serve"), f"learned from {one}")
            check(
                self.book.on(other, "train_model") and self.book.on(other, "be_shown_as_peer"), f"learned from {other}"
            )
        told = {(row.asker, row.asked) for row in labelled}
        there = {(pairs.people[one], pairs.people[other])
                 for one, other in zip(pairs.asker.tolist(), pairs.asked.tolist(), strict=True)}  # fmt: skip
        check(there == {pair for pair in told if self._teaches(*pair)}, "who is learned from")

    def _teaches(self, one: str, other: str) -> bool:
        on = self.book.on
        asks = on(one, "train_model") and on(one, "match_serve")
        return asks and on(other, "train_model") and on(other, "be_shown_as_peer")

    # What must be so after every step -------------------------------------------------------------------------------

    @property
    def lists(self) -> Shortlists:
        found: Shortlists = self.made.app.extensions["peermatch"].shortlists
        return found

    @property
    def pools(self) -> PoolCache:
        return self.lists.pools

    def may_see(self, seeker: str, name: str) -> bool:
        """Whether a seeker may be shown somebody."""
        book = self.book
        return book.may(name, "be_shown_as_peer") and not book.held(name) and not book.apart(seeker, name)

    @invariant()
    def nobody_is_returned_scored_or_logged_without_consent(self) -> None:
        """Ask for everybody's list."""
        if not self.book.people:
            return
        returned = {(seeker, name) for seeker in SEEKERS for name in self._asked(seeker)}
        self.book.look()
        for seeker, name in self.scored:
            check(self.book.may(seeker, "match_serve"), f"{seeker} was scored for")
            check(self.book.may(name, "be_shown_as_peer"), f"{name} was scored")
        self.scored.clear()
        with self.made.store.reading() as session:
            told = {tuple(sorted(event.items())) for event in shown.events(session, "lantern")}
        for event in map(dict, told - self.logged):
            check((event["seeker"], event["candidate"]) in returned, f"{event} was logged")
        self.logged = told

    def list_of(self, seeker: str, kind: Kind) -> LiveList:
        """Ask for a list."""
        return self.lists.of("lantern", seeker, kind, limit=5, now=self.book.now)

    def _asked(self, seeker: str) -> list[str]:
        try:
            found = self.list_of(seeker, Peers())
        except UnknownMemberError:
            check(seeker not in self.book.people, f"{seeker} is there")
            return []
        except ConsentMissingError:
            check(not self.book.on(seeker, "match_serve"), f"{seeker} consents and gets no list")
            return []
        names = [one.member_id for one in found.alive]
        check((found.result == "held") == self.book.held(seeker), f"{seeker} is held or not")
        if found.result == "held":  # whoever is held is told so, whatever they consent to
            check(not names, f"{seeker} is held and gets a list")
            return []
        check(self.book.may(seeker, "match_serve"), f"{seeker} gets a list without consent")
        for name in names:
            check(name in SHOWN and name != seeker and self.may_see(seeker, name), f"{seeker} sees {name}")
        if found.result in ("new", "repeat") and not self.book.behind():
            due = {name for name in SHOWN if name != seeker and name in self.book.people and self.may_see(seeker, name)}
            check(set(names) == due, f"{seeker} sees {sorted(names)}, not {sorted(due)}")
        return names

    @invariant()
    def the_log_read_anew_is_what_is_on(self) -> None:
        """Replay the log: it is the record, the live row, and the notebook."""
        if not self.book.people:
            return
        now, programme = self.book.now, self.made.programme
        logged: dict[str, list[ConsentEvent]] = {name: [] for name in NAMES}
        with self.made.store.reading() as session:
            check(consent_check.verify(session, programme, now) == [], "log, record and live row differ")
            for row in consent_log.histories(session, "lantern", NAMES):
                logged[row[0]].append(consent_log.recorded(session, "lantern", row).event)
        for name, events in logged.items():
            check(bool(events) <= (name in self.book.people), f"{name} is gone, and the log is not")
            on = fold(events, programme, now).grants.keys()
            expected = {purpose for purpose in PURPOSES if self.book.on(name, purpose)}
            check(on == expected, f"{name}: {sorted(on)} is on, not {sorted(expected)}")

"""A programme in which everything happens at random, and a naive oracle that judges every list.

The oracle reads the raw records of the store and otherwise knows only what was done here: it shares nothing with the
pools, the stored lists or the re-check.
"""

from __future__ import annotations

import itertools
import random
import tomllib
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from sqlalchemy import select

from matcher.errors import RecordError
from matcher.model.affinity import PairAffinity, prior_weights
from matcher.model.artefact import Model, prior_model, save
from matcher.model.encoder import ProfileEncoder
from matcher.model.signing import signing_key
from matcher.people import Member
from matcher.programme import Programme
from service import create_app
from service.security import create_secret_key
from service.store import live, members, models, sealed
from service.store.live_tables import LiveRow
from service.store.moments import micros
from service.store.tables import MemberRow
from tests.oracle import Oracle, OracleModel
from tests.service.installation import Installation, consent, record
from tests.service.live import attention_oracle

FACETS: Final = """
[facets.needs]
kind = "concepts"
vocabulary = "lists/experiences.csv"
against = "experiences"
weight = 1.5

[facets.gender]
kind = "choice"
values = ["woman", "man"]
importance = 0
weight = 1.0
show = true

[facets.availability]
kind = "week"
min_overlap_minutes = 60

[facets.silence]
kind = "concepts"
vocabulary = "lists/experiences.csv"
excludes = "needs"
"""
REQUIRED: Final = ', "availability"'
MORE: Final = "lists_per_day = {lists}\nlimit = {limit}\n[privacy]\nreason_k = 2\nreasons_a_card = 2"
PARENTS: Final = {"lists/experiences.csv": {"lumpectomy": "surgery"}}
CODES: Final = ("surgery", "lumpectomy", "travel", "unlisted")
LEVELS: Final = ("new", "later", "long")
SLOTS: Final = ("mon 18:00-20:00", "sat 09:00-12:00", "tue 07:00-08:30", "sun 23:00-01:00")
ZONES: Final = ("Europe/London",) * 7 + ("America/New_York", "Pacific/Auckland")
SEEKERS: Final = ("s-0", "s-1", "s-2")
PEOPLE: Final = (*SEEKERS, *(f"p-{number:02}" for number in range(14)))
PURPOSES: Final = ("match_serve", "be_shown_as_peer", "show_reasons")


class Violation(AssertionError):
    """A reply that must not be."""


def check(right: object, what: str) -> None:
    """Raise `Violation` unless `right`."""
    if not right:
        raise Violation(what)


class World:
    """One installation, two workers, and a random order of events.

    Parameters
    ----------
    made : Installation
        Empty.
    seed : int
    often : collection of str
        Events that happen five times as often as they would.
    """

    def __init__(self, made: Installation, seed: int, often: Collection[str] = ()) -> None:
        self.made, self.rng, self.seed = made, random.Random(seed), seed
        self.names = [name for name, _ in self.EVENTS]
        self.likely = [weight * (5 if name in often else 1) for name, weight in self.EVENTS]
        self.counts: Counter[str] = Counter()
        self.weights: dict[str, OracleModel | None] = {}
        self.blocks: set[frozenset[str]] = set()
        self.declined: set[frozenset[str]] = set()
        self.connected: dict[frozenset[str], str] = {}
        """Who of each pair supports."""
        self.holds: dict[str, dict[str, datetime | None]] = {}
        """By member: when each hold ends; None: when it is lifted."""
        self.rests: dict[str, datetime] = {}
        """By supporter: until when they rest."""
        self.orders: dict[str, set[tuple[str, str]]] = {}
        """By match_id: who stood before whom."""
        self.key = made.new_key("match", "match:ids")
        self.more = {"lists": "2", "limit": "5"}
        self.change_programme()
        made.add(*(self.record(member_id) for member_id in PEOPLE))
        other = create_app(made.settings, clock=made.clock)
        self.workers = [made.app.test_client(), other.test_client()]

    def close(self) -> None:
        """Give the second worker's connections back."""
        self.workers[1].application.extensions["peermatch"].store.close()

    # Records ------------------------------------------------------------------------------------------------------

    def record(self, member_id: str) -> dict[str, Any]:
        """Return a random record that anybody might have."""
        some, rng = self._some, self.rng
        profile: dict[str, Any] = {
            "experiences": some(CODES, 3),
            "needs": some(CODES, 1),
            "channel": ["phone", "video"] if rng.random() < 0.6 else [rng.choice(["phone", "video"])],
            "journey": rng.choice(LEVELS),
            "gender": rng.choice(["woman", "man"]),
            "availability": {"tz": rng.choice(ZONES), "slots": rng.sample(SLOTS, rng.randint(2, 4))},
            "silence": some(CODES, 1) if rng.random() < 0.2 else [],
        }
        for name in ("experiences", "needs", "journey", "gender", "silence"):
            if rng.random() < 0.1:
                del profile[name]
        seeks = member_id in SEEKERS
        roles = ["seeker"] if seeks and rng.random() < 0.6 else ["seeker", "supporter"] if seeks else ["supporter"]
        return record(
            member_id,
            *roles,
            age_band=rng.choice(["18-34", "35-64", "35-64", "13-17"] if rng.random() < 0.2 else ["18-34", "35-64"]),
            vetted=rng.random() < 0.95,
            capacity=rng.choice([0, 1, 2, 3]) if rng.random() < 0.3 else 3,
            profile=profile,
            wants=self._wants(),
            consents=[self._grant(purpose) for purpose in PURPOSES],
        )

    def _some(self, values: tuple[str, ...], most: int) -> list[str]:
        return self.rng.sample(values, self.rng.randint(0, min(most, len(values))))

    def _wants(self) -> dict[str, Any]:
        rng, wants = self.rng, dict[str, Any]()
        if rng.random() < 0.2:
            wants["gender"] = {"importance": rng.randint(1, 3), "prefer": [rng.choice(["woman", "man"])]}
        if rng.random() < 0.15:
            wants["journey"] = {"importance": rng.randint(0, 2), "avoid": [rng.choice(LEVELS)]}
        if rng.random() < 0.1:
            wants["experiences"] = {"importance": 3}
        return wants

    def _grant(self, purpose: str) -> dict[str, Any]:
        return consent(purpose, at=self.made.clock() - timedelta(days=self.rng.randint(1, 30)))

    # Events -------------------------------------------------------------------------------------------------------

    EVENTS: Final = (
        ("match", 30), ("match_again", 18), ("edit", 9), ("edit_seeker", 10), ("add", 4), ("erase", 3), ("withdraw", 5),
        ("grant", 4), ("narrow", 3), ("expire", 3), ("decline", 3), ("connect", 4), ("end", 3), ("block", 4),
        ("unblock", 2), ("hold", 4), ("hold_for_a_while", 2), ("lift", 4), ("rest", 3), ("role", 2), ("capacity", 3),
        ("import_", 3), ("refresh", 1), ("model", 2), ("programme", 2), ("policy", 1), ("wait", 5), ("next_day", 3),
    )  # fmt: skip

    def step(self) -> None:
        """Let one thing happen."""
        name = self.rng.choices(self.names, self.likely)[0]
        self.counts["event", name] += 1  # type: ignore[index]
        getattr(self, name)()

    def run(self, steps: int) -> None:
        """Let so many things happen."""
        for number in range(steps):
            try:
                self.step()
            except AssertionError as problem:
                problem.add_note(f"seed {self.seed}, step {number}")
                raise

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """Send a request to either worker."""
        headers = {"Authorization": f"Bearer {key or self.made.key}"}
        reply = self.rng.choice(self.workers).open(path, method=method, json=body, headers=headers)
        check(reply.status_code < 500, f"{method} {path}: {reply.status_code}")
        return reply

    def there(self) -> list[str]:
        """Return who is a member."""
        with self.made.store.reading() as session:
            return sorted(session.scalars(select(MemberRow.member_id).execution_options(every_programme=True)))

    def one(self) -> str | None:
        return self.rng.choice(found) if (found := self.there()) else None

    def pair(self) -> tuple[str, str] | None:
        """Return a seeker and somebody else, both there."""
        found = self.there()
        seekers = [one for one in found if one in SEEKERS]
        if not seekers or len(found) < 2:
            return None
        seeker = self.rng.choice(seekers)
        return seeker, self.rng.choice([one for one in found if one != seeker])

    def stored(self, member_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/v1/members/{member_id}").get_json()
        return found

    def put(self, one: dict[str, Any]) -> None:
        reply = self.call("PUT", f"/v1/members/{one['member_id']}", one)
        # A programme that was changed may refuse what it once took.
        check(reply.status_code in {200, 201, 409, 422}, f"PUT {reply.get_data(as_text=True)}")

    def edit(self, member_id: str | None = None) -> None:
        if (member_id := member_id or self.one()) is None:
            return
        before, new = self.stored(member_id), self.record(member_id)
        part = self.rng.choice(["profile", "wants", "profile", "all"])
        if part == "all":
            new = {**new, "consents": before["consents"], "roles": before["roles"]}
        else:
            new = {**before, part: new[part]}
        self.put(new)

    def edit_seeker(self) -> None:
        self.edit(self.rng.choice(found) if (found := [one for one in self.there() if one in SEEKERS]) else None)

    def add(self) -> None:
        gone = [member_id for member_id in PEOPLE if member_id not in self.there()]
        if gone:
            self.put(self.record(self.rng.choice(gone)))

    def import_(self) -> None:
        """Import one, new or not: visible at once."""
        one = self.record(self.rng.choice(PEOPLE))
        try:
            self.made.add(one)
        except RecordError:
            self.counts["refused"] += 1

    def erase(self) -> None:
        if (member_id := self.one()) is None:
            return
        check(self.call("DELETE", f"/v1/members/{member_id}").status_code == 200, "DELETE")
        self.blocks = {pair for pair in self.blocks if member_id not in pair}
        self.declined = {pair for pair in self.declined if member_id not in pair}
        self.connected = {pair: who for pair, who in self.connected.items() if member_id not in pair}
        self.holds.pop(member_id, None)
        self.rests.pop(member_id, None)

    def decide(self, member_id: str, purpose: str, decision: str, **more: Any) -> None:
        body = {"purpose": purpose, "decision": decision, **more}
        reply = self.call("POST", f"/v1/members/{member_id}/consents", body)
        check(reply.status_code in {200, 201, 409, 422}, f"consents: {reply.get_data(as_text=True)}")

    def withdraw(self) -> None:
        if (member_id := self.one()) is not None:
            self.decide(member_id, self.rng.choice(PURPOSES), "withdrawn")

    def grant(self) -> None:
        if (member_id := self.one()) is not None:
            for purpose in PURPOSES:
                self.decide(member_id, purpose, "given")

    def narrow(self) -> None:
        """Consent to less: facets that are not required are as if they had never been told."""
        if (member_id := self.one()) is not None:
            optional = self._some(("experiences", "journey", "gender", "needs", "silence"), 4)
            categories = ["channel", "availability", *optional]
            self.decide(member_id, self.rng.choice(PURPOSES), "given", categories=categories)

    def expire(self) -> None:
        """Consent until a moment, of today or later."""
        if (member_id := self.one()) is not None:
            end = self.made.clock() + timedelta(minutes=self.rng.choice([1, 20, 300, 2000]))
            purpose = self.rng.choice(PURPOSES)
            self.decide(member_id, purpose, "given", valid_until=f"{end:%Y-%m-%dT%H:%M:%SZ}")

    def tell(self, *events: dict[str, Any]) -> None:
        at = f"{self.made.clock():%Y-%m-%dT%H:%M:%SZ}"
        self.made.tell(*({**event, "at": at} for event in events))

    def decline(self) -> None:
        if (pair := self.pair()) is not None and frozenset(pair) not in self.connected:
            by = self.rng.choice(["seeker", "candidate"])
            self.tell({"seeker": pair[0], "candidate": pair[1], "event": "declined", "by": by})
            self.declined.add(frozenset(pair))

    def connect(self) -> None:
        if (pair := self.pair()) is None or frozenset(pair) in self.declined | set(self.connected):
            return
        if all(member_id in SEEKERS for member_id in pair):
            return  # who of two seekers supports depends on what was between them before
        asked = {"seeker": pair[0], "candidate": pair[1], "event": "accepted"}
        self.made.clock.turn(seconds=1)  # later than the end of what was between them before
        self.tell({**asked, "by": "seeker"}, {**asked, "by": "candidate"})
        self.connected[frozenset(pair)] = pair[1]

    def end(self) -> None:
        if self.connected:
            pair = self.rng.choice(sorted(self.connected, key=sorted))
            supporter = self.connected.pop(pair)
            (seeker,) = pair - {supporter}
            self.made.clock.turn(seconds=1)
            self.tell({"seeker": seeker, "candidate": supporter, "event": "ended"})

    def block(self) -> None:
        if (pair := self.pair()) is not None:
            one, other = self.rng.sample(pair, 2)
            check(self.call("POST", "/v1/blocks", {"a": one, "b": other}).status_code in {200, 201}, "block")
            self.blocks.add(frozenset(pair))

    def unblock(self) -> None:
        if self.blocks:
            pair = self.rng.choice(sorted(self.blocks, key=sorted))
            one, other = sorted(pair)
            check(self.call("DELETE", f"/v1/blocks/{other}/{one}").status_code == 204, "unblock")
            self.blocks.discard(pair)

    def hold(self, until: datetime | None = None) -> None:
        if (member_id := self.one()) is None:
            return
        body = {"kind": self.rng.choice(["crisis", "safeguarding", "pause"])}
        if until is not None:
            body["until"] = f"{until:%Y-%m-%dT%H:%M:%SZ}"
        hold = self.call("POST", f"/v1/members/{member_id}/holds", body).get_json()["id"]
        self.holds.setdefault(member_id, {})[hold] = until

    def hold_for_a_while(self) -> None:
        end = (self.made.clock() + timedelta(minutes=self.rng.choice([1, 30, 1000]))).replace(microsecond=0)
        self.hold(end)

    def lift(self) -> None:
        running = [(member_id, hold) for member_id, some in self.holds.items() for hold in some]
        if running:
            member_id, hold = self.rng.choice(sorted(running))
            reply = self.call("DELETE", f"/v1/members/{member_id}/holds/{hold}")
            check(reply.status_code in {204, 404}, "lift")
            del self.holds[member_id][hold]

    def rest(self) -> None:
        """Let somebody rest for a while, as after a connection has ended."""
        if (member_id := self.one()) is None:
            return
        end = self.made.clock() + timedelta(minutes=self.rng.choice([1, 30, 1000]))
        with self.made.store.transaction() as session:
            live.touch(session, "lantern", member_id, adds=False, rests_until=micros(end))
        self.rests[member_id] = end

    def role(self) -> None:
        if (member_id := self.one()) is not None:
            before = self.stored(member_id)
            roles = ["seeker"] if self.rng.random() < 0.5 else ["seeker", "supporter"]
            self.put({**before, "roles": roles})

    def capacity(self) -> None:
        if (member_id := self.one()) is not None:
            self.put({**self.stored(member_id), "capacity": self.rng.randint(0, 2)})

    def refresh(self) -> None:
        with self.made.store.transaction() as session:
            members.show_all(session, "lantern", self.made.clock().date())

    def model(self) -> None:
        """Publish and activate a model of random weights."""
        programme, version = self.made.programme, f"m{len(self.weights)}"
        rng = np.random.default_rng(self.rng.randrange(2**32))
        affinity = PairAffinity(prior_weights(programme)).prior()
        affinity.coef_ = affinity.coef_ * rng.uniform(0.3, 2, affinity.coef_.shape)
        names = programme.features
        weight, neutral = (
            [dict(zip(names, row, strict=True)) for row in part.tolist()]
            for part in (affinity.coef_, affinity.neutral_)
        )
        base = affinity.intercept_.tolist()
        self.weights[version] = OracleModel((base[0], base[1]), (weight[0], weight[1]), (neutral[0], neutral[1]))
        prior = prior_model(programme, version)
        encoder = ProfileEncoder(programme).fit([])
        self._publish(Model(programme.id, encoder, affinity, version, prior.manifest), programme)

    def _publish(self, model: Model, programme: Programme) -> None:
        folder = self.made.settings.model_folder(programme.id, model.version)
        save(model, folder, signing_key(create_secret_key(self.made.settings)))
        with self.made.store.transaction() as session:
            models.add(session, programme.id, model.version, {}, now=self.made.clock())
            models.activate(session, programme.id, model.version, now=self.made.clock())

    def change_programme(self, facets: str = FACETS, **replaced: str) -> None:
        """Apply a programme file, with a model that fits it."""
        base = self.made.folder / "files"
        changes = {"facets": facets, "required": REQUIRED, "more": MORE.format(**self.more)}
        programme = self.made.change_programme(**changes)
        if replaced:
            text = programme.source
            for before, after in replaced.items():
                check(before in text, before)
                text = text.replace(before, after)
            programme = self.made.apply(text)
        version = f"m{len(self.weights)}"
        self.weights[version] = None
        self._publish(prior_model(programme, version), programme)
        check(base.is_dir(), "the files")

    def programme(self) -> None:
        """Change limits, budgets, a gate, or what a facet accepts; the next such change takes it back."""
        self.more = {"lists": self.rng.choice("123"), "limit": self.rng.choice("357")}
        match self.rng.randrange(4):
            case 0:
                self.change_programme(FACETS.replace("min_overlap_minutes = 60", "min_overlap_minutes = 120"))
            case 1:
                self.change_programme(FACETS.replace("weight = 1.5", "weight = 0.5"))
            case 2:
                self.change_programme(**{'levels = ["new", "later", "long"]': 'levels = ["later", "long"]'})
            case _:
                self.change_programme()

    def policy(self) -> None:
        """Ask for consent anew, and take it back: nobody has a list in between."""
        self.change_programme(**{'policy_version = "1"': 'policy_version = "2"'})
        self.match()
        self.change_programme()

    def wait(self) -> None:
        self.made.clock.turn(minutes=self.rng.choice([1, 7, 25, 180]))

    def next_day(self) -> None:
        self.made.clock.turn(days=self.rng.choice([1, 1, 1, 2, 7]))

    # Lists --------------------------------------------------------------------------------------------------------

    def match(self, seeker: str | None = None) -> None:
        """Ask for a list, and judge it."""
        seeker = seeker or self.rng.choice(SEEKERS)
        limit = self.rng.choice([None, None, 1, 3, 10])
        body = {"member_id": seeker} if limit is None else {"member_id": seeker, "limit": limit}
        reply = self.call("POST", "/v1/match", body, key=self.key)
        Judge(self).judge(seeker, limit or self.made.programme.limit, reply)
        self.last = seeker

    last = SEEKERS[0]

    def match_again(self) -> None:
        self.match(self.last)


class Judge:
    """What the oracle says of everybody at this moment."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.now = world.made.clock()
        self.programme = world.made.programme
        with world.made.store.reading() as session:
            rows = session.execute(
                select(MemberRow.member_id, MemberRow.record, LiveRow.visible_from)
                .join(
                    LiveRow,
                    (LiveRow.programme_id == MemberRow.programme_id) & (LiveRow.member_id == MemberRow.member_id),
                )
                .where(LiveRow.programme_id == "lantern")
            ).all()
            told = {one: sealed.record(session, "lantern", one, kept) for one, kept, _ in rows}
            self.lists = attention_oracle.stored(session, "lantern")
        self.records = {member_id: record for member_id, record in told.items() if self._accepts(record)}
        self.known = {member_id for member_id, _, _ in rows}
        self.visible = {member_id for member_id, _, day in rows if day <= self.now.toordinal()}
        held = {
            member_id
            for member_id, some in world.holds.items()
            if any(end is None or end > self.now for end in some.values())
        }
        load = Counter(world.connected.values())
        load.update({member_id: 99 for member_id, end in world.rests.items() if end > self.now})
        self.circumstances = {
            "held": held,
            "blocks": [tuple(sorted(pair)) for pair in world.blocks],
            "declined": [tuple(sorted(pair)) for pair in world.declined],
            "connected": [tuple(sorted(pair)) for pair in world.connected],
            "load": load,
        }

    def _accepts(self, record_of_somebody: dict[str, Any]) -> bool:
        try:
            Member.from_dict(record_of_somebody, self.programme)
        except RecordError:
            return False
        return True

    def oracle(self, who: set[str], model: OracleModel | None = None, seeker: str = "") -> Oracle:
        """Return the naive matcher over some of the members, as it ranks for a seeker."""
        today = self.now.toordinal()
        told = {
            "exposure": attention_oracle.exposure(self.lists, seeker, today),
            "views": {seeker: attention_oracle.looks(self.lists, seeker, today)},
        }
        return Oracle(
            tomllib.loads(self.programme.source),
            PARENTS,
            [self.records[member_id] for member_id in sorted(who & self.records.keys())],
            self.now,
            circumstances=self.circumstances | told,
            model=model,
            learned_from=[],
        )

    def judge(self, seeker: str, limit: int, reply: Any) -> None:
        """Compare a reply with what may be."""
        world = self.world
        where = f"{seeker} at {self.now:%d %H:%M}"
        if seeker not in self.known:
            check(reply.status_code == 404, f"{where}: {reply.status_code}; expected 404")
            world.counts["unknown"] += 1
            return
        oracle = self.oracle(self.visible | {seeker})
        status = 200
        if seeker in self.circumstances["held"]:
            pass
        elif seeker not in self.records or "seeker" not in self.records[seeker]["roles"]:
            status = 409
        elif not oracle.people[seeker].on["match_serve"]:
            status = 403
        if status == 403 and "seeker" in self.records[seeker]["roles"]:
            world.counts["refused", "consent"] += 1  # type: ignore[index]
        check(reply.status_code in ({status} if status != 409 else {409, 403}), f"{where}: {reply.status_code}")
        if status != 200:
            return
        body = reply.get_json()
        if seeker in self.circumstances["held"]:
            check((body["outcome"], body["reason"], body["matches"]) == ("no_match", "held", []), f"{where}: not held")
            world.counts["result", "held"] += 1  # type: ignore[index]
            return
        check(body["reason"] != "held", f"{where}: held")
        self._shape(where, limit, body)
        for match in body["matches"]:
            self._may_be_shown(where, oracle, seeker, match)
        new = body["match_id"] not in world.orders
        kind = "over_budget" if not body["fresh"] else "new" if new else "repeat"
        world.counts["result", kind] += 1  # type: ignore[index]
        world.counts["outcome", body["outcome"]] += 1  # type: ignore[index]
        self._in_order(where, body)
        if kind == "new":
            self._is_the_oracles(where, seeker, limit, body)
        elif kind == "repeat" and body["outcome"] == "no_match":
            there = self.best(seeker, limit, body)
            check(there["outcome"] == "no_match", f"{where}: told of nobody, and there are {there['good']}")
            world.counts["nobody"] += 1

    def _shape(self, where: str, limit: int, body: Any) -> None:
        found = [match["member_id"] for match in body["matches"]]
        check([m["rank"] for m in body["matches"]] == list(range(1, len(found) + 1)), f"{where}: gaps in the ranks")
        check(len(found) <= limit, f"{where}: longer than asked")
        check(len(set(found)) == len(found), f"{where}: somebody twice")
        check(len({match["handle"] for match in body["matches"]}) == len(found), f"{where}: a handle twice")
        check((body["outcome"] == "matched") == bool(found), f"{where}: outcome")

    def _may_be_shown(self, where: str, oracle: Oracle, seeker: str, match: Any) -> None:
        shown = match["member_id"]
        self.world.counts["shown"] += 1
        check(shown != seeker, f"{where}: themselves")
        check(shown in self.known, f"{where}: {shown} is erased")
        check(shown in self.records, f"{where}: {shown}'s record does not fit")
        check(shown in self.visible, f"{where}: {shown} is of tomorrow")
        gate = oracle.gate(oracle.people[seeker], oracle.people[shown])
        check(gate is None, f"{where}: {shown} is shown in spite of {gate}")
        if match["reasons"]:
            self._may_be_told(where, oracle, seeker, shown, [reason["facet"] for reason in match["reasons"]])

    def _may_be_told(self, where: str, oracle: Oracle, seeker: str, shown: str, facets: list[str]) -> None:
        self.world.counts["told"] += len(facets)
        a, b = oracle.people[seeker], oracle.people[shown]
        for facet in facets:
            source = self.programme.facets[facet].name if facet != "needs" else "experiences"
            allowed = oracle.covered(a, facet) and oracle.covered(b, source)
            check(allowed, f"{where}: a reason of {shown} that is not theirs to be told any more")
            asked = a.seeking[facet]["prefer"] or a.seeking[facet]["value"]
            both = asked is not None and b.shown[source]["value"] is not None
            check(both, f"{where}: a reason that rests on nothing")

    def _in_order(self, where: str, body: Any) -> None:
        """Check that one list never changes its order, whoever leaves it or comes back."""
        found = [match["member_id"] for match in body["matches"]]
        before = self.world.orders.setdefault(body["match_id"], set())
        now = set(itertools.combinations(found, 2))
        check(not {pair[::-1] for pair in now} & before, f"{where}: another order")
        before |= now

    def best(self, seeker: str, limit: int, body: Any) -> dict[str, Any]:
        """Return the oracle's list, by the model that a reply was made with."""
        oracle = self.oracle(self.visible, self.world.weights[body["model_version"]], seeker)
        return oracle.match(seeker if seeker in self.visible else self.records[seeker], limit)

    def _is_the_oracles(self, where: str, seeker: str, limit: int, body: Any) -> None:
        """Check that a list that was just made says who fits best, in order."""
        best = self.best(seeker, limit, body)
        check((body["outcome"], body["reason"]) == (best["outcome"], best["reason"]), f"{where}: {body['reason']}")
        check(len(body["matches"]) == len(best["entries"]), f"{where}: {len(body['matches'])} of {best['good']}")
        for one, expected in zip(body["matches"], best["entries"], strict=True):
            same = (one["member_id"], one["strength"]) == (expected["member_id"], expected["strength"])
            check(same, f"{where}: {one['member_id']} where {expected['member_id']} is right")
            told = [reason["facet"] for reason in one["reasons"]]
            right = [facet for facet, _ in expected["reasons"]]
            check(told == right, f"{where}: {one['member_id']} for {told}, where {right} is right")
        self.world.counts["exact"] += 1

"""From members and feedback to a published model, or to a refusal that says why and leaves nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import jsonschema
import numpy as np
import pytest

from matcher import release as module
from matcher.consent import consented
from matcher.errors import ArtefactError, ModelError, PeermatchError
from matcher.matching import gates
from matcher.model.affinity import PairAffinity, prior_weights
from matcher.model.answers import answers
from matcher.model.artefact import load
from matcher.model.encoder import ProfileEncoder
from matcher.model.signing import signing_key, training_id, training_key
from matcher.release import Options, ReleaseRefused, fit_model, release
from tests.matcher.audit.test_utility import Contrarian
from tests.matcher.model.village import AT, SECRET, VILLAGE, event, history, members, people

PUBLIC = signing_key(SECRET).public_key()


@pytest.fixture(scope="module")
def records():
    return people(60, 60, seed=2, train=0.9)


@pytest.fixture(scope="module")
def events(records):
    return history(records, seed=2)


def released(folder, records, events, **more):
    return release(
        VILLAGE, members(records), events, **{"at": AT, "version": "v1", "folder": folder, "secret": SECRET, **more}
    )


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def done(tmp_path_factory, records, events):
    folder = tmp_path_factory.mktemp("models") / "v1"
    return released(folder, records, events), folder


class TestPublished:
    def test_learning_helped_and_the_table_says_so(self, done):
        result, _ = done
        assert result.published
        assert result.verdicts == {"utility": "PASS", "succession": "INCONCLUSIVE", "safety": "PASS", "canary": "PASS"}
        assert result.metrics["against_active"] is None
        assert result.metrics["safety"] == {"lists": 60, "broken": {}}
        assert result.metrics["log_loss_difference"]["interval"][1] < 0
        assert result.metrics["dropped"]["not_viewed"] > 0
        assert result.metrics["dropped"]["no_train_consent"] > 0
        assert result.epsilon == {"release": None, "year": None}

    def test_the_planted_taste_was_learned(self, done):
        hobbies, region = load(done[1], VILLAGE, PUBLIC).affinity.coef_[0, :2]
        prior = prior_weights(VILLAGE)
        assert prior[1] == 2 * prior[0]
        assert hobbies > prior[0]
        assert region < prior[1] / 2

    def test_the_json_is_as_its_schema_says(self, done, root):
        schema = json.loads((root / "docs/schemas/train.schema.json").read_text("utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        document = json.loads(json.dumps(done[0].to_dict(), allow_nan=False))
        jsonschema.validate(document, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**document, "members": 3}, schema)

    def test_the_manifest_tells_who_was_learned_from(self, done, records):
        manifest = load(done[1], VILLAGE, PUBLIC).manifest
        willing = [record for record in records if len(record["consents"]) == 3]
        key = training_key(SECRET, VILLAGE.id)
        assert 0 < len(willing) < len(records)
        assert manifest["training_ids"] == sorted(training_id(record["member_id"], key) for record in willing)
        assert manifest["consents"] == {
            "members": 120, "match_serve": 120, "be_shown_as_peer": 120, "show_reasons": 0, "train_model": len(willing),
            "fairness_audit": 0, "fairness_balance": 0, "outcome_followup": 0,
        }  # fmt: skip
        assert manifest["created_at"] == "2026-03-02T09:00:00Z"
        assert manifest["verdicts"] == done[0].verdicts
        assert manifest["metrics"] == json.loads(json.dumps(done[0].metrics))

    def test_any_order_of_members_and_events_gives_the_same_bytes(self, done, records, events, tmp_path):
        rng = np.random.default_rng(0)
        mixed = [records[place] for place in rng.permutation(len(records))]
        released(tmp_path / "v1", mixed, [events[place] for place in rng.permutation(len(events))])
        assert contents(tmp_path / "v1") == contents(done[1])

    def test_no_feedback_publishes_the_prior_and_claims_nothing(self, records, tmp_path):
        result = released(tmp_path / "v1", records, [])
        assert result.verdicts["utility"] == "INCONCLUSIVE"
        model = load(tmp_path / "v1", VILLAGE, PUBLIC)
        assert model.affinity.coef_.tolist() == [list(prior_weights(VILLAGE))] * 2
        assert model.encoder.n_members_ > 100
        assert "nobody’s answers yet" in (tmp_path / "v1" / "report.html").read_text("utf-8")

    def test_nobody_at_all(self, tmp_path):
        assert released(tmp_path / "v1", [], []).published

    @pytest.mark.parametrize("what", ["accepted", "declined"])
    def test_all_alike_answers(self, records, tmp_path, what):
        seekers, supporters = records[:60], records[60:]
        events = [
            event(seeker["member_id"], supporter["member_id"], what, 5)
            for seeker in seekers
            for supporter in supporters[:9]
        ]
        assert released(tmp_path / "v1", records, events).published

    def test_one_user(self, records, tmp_path):
        events = [event(records[0]["member_id"], supporter["member_id"], "accepted", 5) for supporter in records[60:]]
        assert released(tmp_path / "v1", records, events).verdicts["utility"] == "INCONCLUSIVE"


class TestWithoutConsent:
    def test_events_of_those_who_never_agreed_change_no_byte(self, records, events, tmp_path):
        """A member without train_model, and all that happened with them, might as well not be there."""
        unwilling = {record["member_id"] for record in records if len(record["consents"]) < 3}
        involved = [each for each in events if {each.seeker, each.candidate} & unwilling]
        assert len(involved) > 100
        flipped = [
            replace(each, event="declined" if each.decision else "accepted")
            if each in involved and each.decision is not None
            else each
            for each in events
        ]
        weights = []
        for number, given in enumerate((events, flipped)):
            released(tmp_path / f"v{number}", records, given)
            weights.append((tmp_path / f"v{number}" / "weights.json").read_bytes())
        assert weights[0] == weights[1]

    def test_events_of_those_who_agreed_do_change_it(self, records, events, tmp_path):
        some = [each for each in events if each.event == "accepted" and each.by == "seeker"][:40]
        flipped = [replace(each, event="declined") if each in some else each for each in events]
        released(tmp_path / "v0", records, events)
        released(tmp_path / "v1", records, flipped)
        assert contents(tmp_path / "v0")["weights.json"] != contents(tmp_path / "v1")["weights.json"]


class TestRefused:
    def test_a_model_worse_than_the_prior_is_refused_with_the_table(self, records, events, tmp_path):
        contrarian = Contrarian(prior_weights(VILLAGE))
        with pytest.raises(ReleaseRefused) as caught:
            released(tmp_path / "v1", records, events, options=Options(affinity=contrarian))
        error = caught.value
        assert isinstance(error, ModelError)
        assert not error.result.published
        assert error.errors == {"utility": "FAIL", "succession": "INCONCLUSIVE"}
        assert "worse than the programme's own weights" in error.message
        assert re_number(error.message) > 0
        assert "seeker: " in error.message
        assert list(tmp_path.iterdir()) == []

    def test_a_model_worse_than_the_active_one_is_refused(self, done, records, events, tmp_path):
        active = load(done[1], VILLAGE, PUBLIC)
        options = Options(affinity=Contrarian(prior_weights(VILLAGE)), active=active)
        with pytest.raises(ReleaseRefused, match="is worse than the model that serves: log loss") as caught:
            released(tmp_path / "v2", records, events, options=options)
        assert caught.value.result.verdicts["succession"] == "FAIL"
        assert list(tmp_path.iterdir()) == []

    def test_learned_again_it_may_take_the_place_of_the_active_one(self, done, records, events, tmp_path, root):
        result = released(tmp_path / "v2", records, events, options=Options(active=load(done[1], VILLAGE, PUBLIC)))
        assert result.verdicts["succession"] != "FAIL"
        assert result.metrics["against_active"]["people"] > 50
        schema = json.loads((root / "docs/schemas/train.schema.json").read_text("utf-8"))
        jsonschema.validate(json.loads(json.dumps(result.to_dict())), schema)

    def test_a_model_whose_lists_break_a_rule_is_refused(self, records, events, tmp_path, monkeypatch):
        monkeypatch.setitem(gates.PROGRAMME_GATES, "role", lambda *_: True)
        with pytest.raises(ReleaseRefused, match=r"in 60 lists .* rules of safety are broken: role \d+") as caught:
            released(tmp_path / "v1", records, events)
        assert caught.value.result.verdicts["safety"] == "FAIL"
        assert list(tmp_path.iterdir()) == []

    def test_a_model_that_does_not_read_back_is_refused(self, records, events, tmp_path, monkeypatch):
        monkeypatch.setattr(module, "load", lambda *given: (_ for _ in ()).throw(ArtefactError("damaged")))
        with pytest.raises(ReleaseRefused, match="cannot be read back: damaged") as caught:
            released(tmp_path / "v1", records, events)
        assert caught.value.result.verdicts["canary"] == "FAIL"
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("spoil", "words"),
        [
            (lambda model: model.affinity.coef_.__setitem__((0, 0), 99.0), "scores pairs otherwise"),
            (lambda model: model.encoder.information_["experiences"].holders.clear(), "weighs concepts of experiences"),
        ],
    )
    def test_a_model_that_reads_back_otherwise_is_refused(self, records, events, tmp_path, monkeypatch, spoil, words):
        def spoiled(*given):
            model = load(*given)
            spoil(model)
            return model

        monkeypatch.setattr(module, "load", spoiled)
        with pytest.raises(ReleaseRefused, match=words):
            released(tmp_path / "v1", records, events)
        assert list(tmp_path.iterdir()) == []

    def test_a_version_is_never_written_over(self, done, records, events):
        before = contents(done[1])
        with pytest.raises(ArtefactError, match="never written over"):
            released(done[1], records, events)
        assert contents(done[1]) == before

    def test_the_same_member_twice(self, records, tmp_path):
        with pytest.raises(ModelError, match="found twice"):
            released(tmp_path / "v1", [*records, records[0]], [])

    def test_a_moment_without_offset_or_a_short_secret(self, records, tmp_path):
        with pytest.raises(PeermatchError, match="offset"):
            released(tmp_path / "v1", records, [], at=AT.replace(tzinfo=None))
        with pytest.raises(ModelError, match="found 5 bytes"):
            released(tmp_path / "v1", records, [], secret=b"short")
        assert list(tmp_path.iterdir()) == []


def re_number(message):
    """Return the estimate in a refusal."""
    return float(message.split("log loss ")[1].split(",")[0])


class TestFitModel:
    def test_learns_as_a_release_does(self, done, records, events):
        profiles = [consented(member, VILLAGE, AT) for member in members(records)]
        model = fit_model(VILLAGE, profiles, answers(events, VILLAGE, AT), AT)
        stored = load(done[1], VILLAGE, PUBLIC).affinity
        assert model.affinity.coef_.tolist() == stored.coef_.tolist()
        assert model.version == "unsaved"

    def test_without_answers_is_the_prior(self):
        model = fit_model(VILLAGE, [], [], AT)
        assert model.affinity.coef_.tolist() == PairAffinity(prior_weights(VILLAGE)).prior().coef_.tolist()
        assert isinstance(model.encoder, ProfileEncoder)

    def test_later_events_are_ignored(self, records, events, tmp_path):
        later = [replace(each, at=each.at + timedelta(days=400)) for each in events]
        result = released(tmp_path / "v1", records, later)
        assert result.metrics["answers"] == {"seeker": 0, "supporter": 0}
        assert result.metrics["dropped"] == {"in_the_future": len(events)}

"""A model as a folder: whole or not there, and believed only when every bit of it is as it was signed."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from matcher.consent import consented
from matcher.errors import ArtefactError
from matcher.model.affinity import PairAffinity, prior_weights
from matcher.model.answers import answers
from matcher.model.artefact import FILES, HASHED, MANIFEST, SIGNATURE, Model, load, prior_model, save
from matcher.model.encoder import ProfileEncoder
from matcher.model.features import pair_features
from matcher.model.manifest import describe, encoded, sha256
from matcher.model.signing import signing_key, training_id, training_key
from tests.matcher.lantern import HERE
from tests.matcher.model.village import AT, SECRET, TEXT, VILLAGE, history, members, people, programme

KEY = signing_key(SECRET)
PUBLIC = KEY.public_key()


@pytest.fixture(scope="module")
def records():
    return people(60, 60, seed=1)


@pytest.fixture(scope="module")
def model(records):
    profiles = [consented(member, VILLAGE, AT) for member in members(records)]
    encoder = ProfileEncoder(VILLAGE).fit(profiles)
    pairs = pair_features(VILLAGE, encoder, profiles, answers(history(records), VILLAGE, AT), AT)
    affinity = PairAffinity(prior_weights(VILLAGE), min_answers=100)
    affinity.fit(pairs.X, pairs.y, sample_weight=pairs.weight, role=pairs.role)
    assert not affinity.shared_
    key = training_key(SECRET, VILLAGE.id)
    ids = [training_id(record["member_id"], key) for record in records]
    about = describe(VILLAGE, "v1", AT, training_ids=ids, consents={"members": 120}, verdicts={"utility": "PASS"})
    return Model(VILLAGE.id, encoder, affinity, "v1", about)


@pytest.fixture
def folder(model, tmp_path):
    save(model, tmp_path / "v1", KEY)
    return tmp_path / "v1"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def resigned(folder, change=lambda document: None, **files):
    """Change the manifest or files of a folder and sign it again, as a later or earlier Peermatch might have."""
    document = json.loads((folder / MANIFEST).read_bytes())
    for name, raw in files.items():
        file = name.replace("_", ".")
        (folder / file).write_bytes(raw)
        document["files"][file] = sha256(raw)
    change(document)
    (folder / MANIFEST).write_bytes(encoded(document))
    (folder / SIGNATURE).write_bytes(KEY.sign((folder / MANIFEST).read_bytes()))
    return folder


def refusal(folder, of=VILLAGE, key=PUBLIC):
    with pytest.raises(ArtefactError) as caught:
        load(folder, of, key)
    return caught.value.message


class TestRoundTrip:
    def test_gives_exactly_the_same_numbers(self, model, folder):
        read = load(folder, VILLAGE, PUBLIC)
        assert (read.programme_id, read.version) == ("village", "v1")
        for name in ("coef_", "intercept_", "neutral_", "n_answers_"):
            assert np.array_equal(getattr(read.affinity, name), getattr(model.affinity, name)), name
        assert read.affinity.get_params() == model.affinity.get_params()
        assert read.affinity.shared_ is False
        X = np.random.default_rng(0).random((100, 8)).round()
        for role in (np.zeros(100), np.ones(100)):
            assert np.array_equal(read.affinity.decision_function(X, role), model.affinity.decision_function(X, role))

    def test_every_concept_is_as_telling_as_before_rare_ones_too(self, model, folder):
        before, after = model.encoder.information_, load(folder, VILLAGE, PUBLIC).encoder.information_
        assert before.keys() == after.keys() == {"experiences"}
        rare = [concept for concept, holders in before["experiences"].holders.items() if holders < VILLAGE.reason_k]
        for concept in (*before["experiences"].holders, "never seen"):
            assert after["experiences"](concept) == before["experiences"](concept)
        assert set(after["experiences"].holders) == set(before["experiences"].holders) - set(rare)

    def test_encodes_the_same_pool(self, model, folder, records):
        profiles = [consented(member, VILLAGE, AT) for member in members(records)]
        sides = profiles[0].seeking.sides(VILLAGE, profiles[0].age_band)
        rows = np.arange(len(profiles))
        found = [
            (load(folder, VILLAGE, PUBLIC) if again else model).encoder.transform(profiles, AT.date())["experiences"]
            for again in (False, True)
        ]
        before, after = (column.forward(sides, rows).satisfy for column in found)
        assert np.array_equal(before, after, equal_nan=True)

    def test_saved_again_it_has_the_same_bytes(self, folder, tmp_path):
        save(load(folder, VILLAGE, PUBLIC), tmp_path / "again", KEY)
        assert contents(tmp_path / "again") == contents(folder)

    def test_the_prior_learned_from_nobody_and_works(self, tmp_path):
        save(prior_model(VILLAGE, "prior"), tmp_path / "prior", KEY)
        read = load(tmp_path / "prior", VILLAGE, PUBLIC)
        assert read.affinity.coef_.tolist() == [list(prior_weights(VILLAGE))] * 2
        assert read.encoder.n_members_ == 0
        assert read.encoder.information_["experiences"]("surgery") == 1.0
        assert read.manifest["created_at"] is None
        assert read.manifest["training_ids"] == []

    def test_a_programme_of_one_feature_without_concepts(self, tmp_path):
        text = TEXT[: TEXT.index("[facets.region]")]
        small = type(VILLAGE).from_text(text, HERE)
        save(prior_model(small, "prior"), tmp_path / "prior", KEY)
        assert load(tmp_path / "prior", small, PUBLIC).affinity.coef_.shape == (2, 1)


class TestWhatItHolds:
    def test_the_files_and_nothing_else(self, folder):
        assert set(contents(folder)) == {
            "manifest.json", "manifest.sig", "weights.json", "encoder.json", "arrays.npz", "report.html",
        } == FILES  # fmt: skip

    def test_the_manifest_is_as_its_schema_says(self, folder, root):
        schema = json.loads((root / "docs/schemas/manifest.schema.json").read_text("utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        document = json.loads((folder / MANIFEST).read_bytes())
        jsonschema.validate(document, schema)
        assert document["files"].keys() == HASHED
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**document, "members": []}, schema)

    def test_no_member_id_anywhere(self, folder, records):
        everything = b"".join(contents(folder).values()) + unzipped(folder / "arrays.npz")
        for record in records:
            assert record["member_id"].encode() not in everything
        assert b"experiences" in everything  # the search does find what is there

    def test_whether_one_was_in_it_can_be_told_with_the_key(self, folder, records):
        listed = load(folder, VILLAGE, PUBLIC).manifest["training_ids"]
        key = training_key(SECRET, VILLAGE.id)
        assert len(listed) == len(records)
        assert training_id(records[0]["member_id"], key) in listed
        assert training_id("somebody-else", key) not in listed

    def test_no_concept_with_fewer_holders_than_reason_k(self, model, tmp_path):
        rarer = programme(("reason_k = 5", "reason_k = 40"))
        profiles = [consented(member, rarer, AT) for member in members(people(60, 60, seed=1), rarer)]
        encoder = ProfileEncoder(rarer).fit(profiles)
        save(replace(model, encoder=encoder), tmp_path / "rare", KEY)
        stored = json.loads((tmp_path / "rare" / "encoder.json").read_bytes())["facets"]["experiences"]["concepts"]
        holders = encoder.information_["experiences"].holders
        assert stored == sorted(code for code, count in holders.items() if count >= 40)
        assert len(stored) < len(holders)  # the rest was there to be stored

    def test_the_arrays_are_plain_numbers(self, folder):
        with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
            assert {arrays[name].dtype.kind for name in arrays.files} == {"i"}

    def test_the_report_needs_nothing_from_elsewhere_and_says_first_what_it_is(self, folder):
        page = (folder / "report.html").read_text("utf-8")
        assert not re.search(r"<script|src=|href=|@import|url\(|https?:", page)
        assert "Village &amp; friends" in page
        assert "<p>This model orders the people whom a member could meet." in page
        for feature in ("Hobbies", "Region", "Journey", "Experiences"):
            assert f"<td>{feature}</td>" in page

    def test_the_report_prints_no_small_count(self, model, tmp_path):
        few = replace(
            model, manifest={**model.manifest, "consents": {"members": 9, "train_model": 0, "match_serve": 10}}
        )
        save(few, tmp_path / "few", KEY)
        page = (tmp_path / "few" / "report.html").read_text("utf-8")
        assert "fewer than 10" in page
        assert "<td>9</td>" not in page
        assert "<td>10</td>" in page


def unzipped(path):
    with zipfile.ZipFile(path) as archive:
        return b"".join(archive.read(name) for name in archive.namelist())


class TestTampering:
    @pytest.mark.parametrize("name", sorted(FILES))
    def test_any_flipped_bit_is_refused(self, folder, name):
        raw = (folder / name).read_bytes()
        places = sorted({0, 1, len(raw) - 1, *np.random.default_rng(5).integers(0, len(raw), 60).tolist()})
        for place in places:
            for bit in (0, 7) if place % 2 else (3,):
                flipped = bytearray(raw)
                flipped[place] ^= 1 << bit
                (folder / name).write_bytes(flipped)
                with pytest.raises(ArtefactError):
                    load(folder, VILLAGE, PUBLIC)
        (folder / name).write_bytes(raw)
        load(folder, VILLAGE, PUBLIC)

    @pytest.mark.parametrize("name", sorted(FILES))
    @pytest.mark.parametrize("harm", ["missing", "cut", "empty", "longer"])
    def test_a_damaged_file_is_refused_by_name(self, folder, name, harm):
        raw = (folder / name).read_bytes()
        if harm == "missing":
            (folder / name).unlink()
        else:
            (folder / name).write_bytes({"cut": raw[: len(raw) // 2], "empty": b"", "longer": raw + b"\n"}[harm])
        message = refusal(folder)
        assert name in message or SIGNATURE in message
        assert "rain again" in message

    def test_an_added_file_is_refused(self, folder):
        (folder / "extra.pkl").write_bytes(b"cos\nsystem\n")
        assert "extra.pkl not part of a model" in refusal(folder)

    def test_a_link_or_folder_in_place_of_a_file_is_refused(self, folder, tmp_path):
        kept = shutil.move(folder / "weights.json", tmp_path / "kept")
        (folder / "weights.json").symlink_to(kept)
        assert "weights.json: found no plain file" in refusal(folder)
        (folder / "weights.json").unlink()
        (folder / "weights.json").mkdir()
        assert "weights.json: found no plain file" in refusal(folder)

    def test_no_folder(self, tmp_path):
        assert "'gone' cannot be read" in refusal(tmp_path / "gone")

    def test_a_file_that_cannot_be_read_is_refused(self, folder, monkeypatch):
        def fail(path):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "read_bytes", fail)
        assert "cannot be read: Permission denied" in refusal(folder)

    def test_another_installations_signature_is_refused(self, folder):
        assert "no signature" in refusal(folder, key=signing_key(SECRET[::-1]).public_key())

    def test_a_file_of_another_model_is_refused(self, folder, tmp_path):
        save(prior_model(VILLAGE, "v0"), tmp_path / "v0", KEY)
        shutil.copy(tmp_path / "v0" / "weights.json", folder / "weights.json")
        assert "weights.json: found other bytes than were signed" in refusal(folder)

    def test_nothing_is_unpickled(self, folder, monkeypatch):
        buffer = io.BytesIO()
        np.savez(buffer, **{"holders.experiences": np.array([print], dtype=object)})
        resigned(folder, arrays_npz=buffer.getvalue())
        assert "found no complete encoder" in refusal(folder)


class TestVersions:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda d: d.update(schema_version=2), "schema_version: found 2; this Peermatch reads 1. Train again"),
            (lambda d: d.pop("schema_version"), "schema_version: found None"),
            (
                lambda d: d["libraries"].update(numpy="1.26.4"),
                "made with numpy 1.26.4; here is numpy " + np.__version__,
            ),
            (lambda d: d["libraries"].update({"scikit-learn": "0.24"}), "made with scikit-learn 0.24"),
            (lambda d: d["libraries"].pop("scikit-learn"), "made with scikit-learn None"),
            (lambda d: d["programme"].update(id="lantern"), "a model of 'lantern'; expected one of 'village'"),
            (lambda d: d["features"].pop(), "the model does not know experiences"),
            (lambda d: d["features"].append("mood"), "the programme no longer compares mood"),
            (lambda d: d["features"].reverse(), "their order differs"),
            (lambda d: d.pop("programme"), "found a manifest without programme, features, basis or libraries"),
            (lambda d: d.update(libraries=5), "found a manifest without programme, features, basis or libraries"),
            (lambda d: d["files"].pop("report.html"), "files: expected arrays.npz"),
            (lambda d: d.update(files=None), "files: expected arrays.npz"),
        ],
    )
    def test_what_does_not_fit_is_named_with_the_way_out(self, folder, change, words):
        message = refusal(resigned(folder, change))
        assert words in message

    def test_a_minor_version_is_read(self, folder):
        load(resigned(folder, lambda d: d["libraries"].update(numpy="2.0.0")), VILLAGE, PUBLIC)

    def test_a_manifest_that_is_no_object_or_no_json(self, folder):
        for raw, words in ((b"[]", "no JSON object"), (b"{", "no JSON"), (b"\xff", "no JSON")):
            (folder / MANIFEST).write_bytes(raw)
            (folder / SIGNATURE).write_bytes(KEY.sign(raw))
            assert words in refusal(folder)

    def test_a_facet_removed_since_is_named(self, folder):
        text = TEXT.replace("weight = 2.0\n", "weight = 0.0\n")
        fewer = type(VILLAGE).from_text(text, HERE)
        assert "the programme no longer compares region" in refusal(folder, of=fewer)

    def test_concepts_of_a_facet_the_programme_has_got_since_are_untold_yet(self, folder):
        more = programme(
            ("[facets.hobbies]", '[facets.wishes]\nkind = "concepts"\nvocabulary = "experiences.csv"\n[facets.hobbies]')
        )
        read = load(folder, more, PUBLIC)
        assert read.encoder.information_["wishes"]("surgery") == 1.0
        assert read.encoder.information_["experiences"].members == 120


def changed_weights(folder, change):
    document = json.loads((folder / "weights.json").read_bytes())
    change(document)
    return resigned(folder, weights_json=json.dumps(document).encode())


class TestWeights:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda d: d["coef"][0].__setitem__(0, -1e-9), "coef: found numbers outside [0.0, inf]"),
            (lambda d: d["coef"][0].__setitem__(0, float("nan")), "coef"),
            (lambda d: d["intercept"].__setitem__(0, float("inf")), "intercept"),
            (lambda d: d["neutral"][1].__setitem__(0, 1.1), "neutral"),
            (lambda d: d["coef"].pop(), "no complete set of weights"),
            (lambda d: d["coef"][0].append(1.0), "no complete set of weights"),
            (lambda d: d.pop("canary_logits"), "no complete set of weights"),
            (lambda d: d["parameters"].update(colour="red"), "no complete set of weights"),
            (lambda d: d["features"].reverse(), "features: found experiences, journey"),
            (lambda d: d["parameters"]["prior_weights"].pop(), "features"),
            (lambda d: d["coef"][0].__setitem__(0, d["coef"][0][0] + 1e-3), "away from those when it was made"),
        ],
    )
    def test_signed_but_senseless_weights_are_refused(self, folder, change, words):
        assert words in refusal(changed_weights(folder, change))

    def test_unchanged_they_are_read(self, folder):
        load(changed_weights(folder, lambda document: None), VILLAGE, PUBLIC)

    @pytest.mark.parametrize(
        "change",
        [
            lambda d: d.pop("n_members"),
            lambda d: d.update(facets=[]),
            lambda d: d["facets"]["experiences"]["concepts"].append("one too many"),
            lambda d: d["facets"].update(other={"members": 1, "k": 1, "concepts": []}),
        ],
    )
    def test_an_encoder_that_does_not_add_up_is_refused(self, folder, change):
        document = json.loads((folder / "encoder.json").read_bytes())
        change(document)
        assert "no complete encoder" in refusal(resigned(folder, encoder_json=json.dumps(document).encode()))


def named(descriptor):
    return str(Path(f"/proc/self/fd/{descriptor}").readlink())


class TestSaving:
    def test_never_writes_over_a_version(self, model, folder):
        before = contents(folder)
        with pytest.raises(ArtefactError, match="never written over"):
            save(model, folder, KEY)
        assert contents(folder) == before

    def test_makes_the_parent_and_leaves_nothing_beside_it(self, model, tmp_path):
        save(model, tmp_path / "a" / "b" / "v1", KEY)
        assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["v1"]

    def test_every_file_and_both_folders_are_flushed_before_and_after_the_rename(self, model, tmp_path, monkeypatch):
        log = []
        monkeypatch.setattr(os, "fsync", lambda descriptor: log.append(named(descriptor)))
        rename = Path.rename
        monkeypatch.setattr(Path, "rename", lambda path, target: (log.append("rename"), rename(path, target))[1])
        save(model, tmp_path / "v1", KEY)
        at = log.index("rename")
        assert {Path(name).name for name in log[: at - 1]} == FILES
        assert Path(log[at - 1]).name.startswith(".v1.")
        assert log[at + 1 :] == [str(tmp_path)]

    @pytest.mark.parametrize("call", range(9))
    def test_failing_at_any_call_leaves_nothing_or_everything(self, model, tmp_path, monkeypatch, call):
        calls = iter(range(100))
        fsync, rename = os.fsync, Path.rename

        def counted(function):
            def wrapped(*args):
                if next(calls) == call:
                    raise OSError(28, "No space left on device")
                return function(*args)

            return wrapped

        monkeypatch.setattr(os, "fsync", counted(fsync))
        monkeypatch.setattr(Path, "rename", counted(rename))
        with pytest.raises(ArtefactError, match="cannot be written: No space left"):
            save(model, tmp_path / "v1", KEY)
        monkeypatch.undo()
        left = list(tmp_path.iterdir())
        if call < 8:
            assert left == []
        else:  # only the flush of the parent failed: the folder is there, and whole
            assert [path.name for path in left] == ["v1"]
            load(tmp_path / "v1", VILLAGE, PUBLIC)

    def test_killed_at_any_call_leaves_no_folder_of_that_name_or_the_whole_one(self, model, tmp_path, monkeypatch):
        """What a power cut leaves: the clean-up does not run either."""
        monkeypatch.setattr(shutil, "rmtree", lambda *args, **kwargs: None)
        for call in range(9):
            calls = iter(range(100))

            def killed(descriptor, calls=calls, call=call):
                if next(calls) == call:
                    raise KeyboardInterrupt

            monkeypatch.setattr(os, "fsync", killed)
            target = tmp_path / f"v{call}"
            with contextlib.suppress(KeyboardInterrupt):
                save(model, target, KEY)
            if target.exists():
                load(target, VILLAGE, PUBLIC)
            assert target.exists() == (call >= 7), call

    def test_a_parent_that_is_no_folder_is_refused(self, model, tmp_path):
        (tmp_path / "file").write_text("x")
        with pytest.raises(ArtefactError, match="cannot be written"):
            save(model, tmp_path / "file" / "v1", KEY)

    def test_a_failed_check_leaves_nothing(self, model, tmp_path):
        seen = []

        def refuse(written):
            seen.append(load(written, VILLAGE, PUBLIC).version)
            raise ArtefactError("no")

        with pytest.raises(ArtefactError, match=r"^no$"):
            save(model, tmp_path / "v1", KEY, refuse)
        assert seen == ["v1"]
        assert list(tmp_path.iterdir()) == []


class TestBasis:
    """A model serves only the programme file that it was made from, as far as its numbers depend on it."""

    @pytest.mark.parametrize("change", [("weight = ", "weight = 1"), ("reason_k = 5", "reason_k = 6")])
    def test_of_another_form_of_the_programme_is_refused(self, folder, change):
        with pytest.raises(ArtefactError, match=r"basis: found a model made when .* said something else.*Train again"):
            load(folder, programme(change), PUBLIC)

    def test_labels_are_no_part_of_it(self, folder):
        relabelled = programme(("weight = ", 'label = "Another word"\nweight = '))
        assert load(folder, relabelled, PUBLIC).version == "v1"

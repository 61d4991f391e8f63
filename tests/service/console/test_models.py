from __future__ import annotations

from service.store import models
from tests.service.console.visiting import Visitor, signed_in, words
from tests.service.installation import NOON, Installation, another_programme

SCRIPT = "<script>alert(1)</script>"


def test_versions_verdicts_and_which_is_active(made: Installation) -> None:
    with made.store.transaction() as session:
        models.add(session, "lantern", "2", {"fairness": {"passed": True, "why": SCRIPT}, "utility": 0.5}, now=NOON)
    reply = signed_in(made).get("/models")
    said = words(reply)
    assert "The model 1 serves since 2026-03-04 12:00 UTC" in said
    assert "2 2026-03-04 12:00 UTC Kept fairness.passed: True" in said
    assert "utility: 0.5" in said
    assert "1 2026-03-04 12:00 UTC Active None recorded" in said
    assert SCRIPT not in reply.get_data(as_text=True)


def test_what_a_model_was_made_from(made: Installation) -> None:
    said = words(signed_in(made).get("/models?version=1"))
    assert "Its signature and the digests of its files are right." in said
    assert "programme.id lantern" in said


def test_one_whose_files_are_damaged_is_told_as_that(made: Installation) -> None:
    (made.settings.model_folder("lantern", "1") / "weights.json").write_text("{}")
    said = words(signed_in(made).get("/models?version=1"))
    assert "It cannot serve" in said
    assert str(made.settings.home) not in said


def test_one_that_is_not_there_is_not_found(made: Installation) -> None:
    visitor = signed_in(made)
    for version in ("9", "..", "", SCRIPT, "1%00"):
        assert visitor.get(f"/models?version={version}").status_code == 404


def test_another_programmes_models_are_not_told(made: Installation) -> None:
    another_programme(made, "beacon")
    with made.store.transaction() as session:
        models.add(session, "beacon", "secret-one", {}, now=NOON)
    visitor = signed_in(made)
    assert "secret-one" not in words(visitor.get("/models"))
    assert visitor.get("/models?version=secret-one").status_code == 404


def test_without_a_model(made: Installation) -> None:
    made.change_programme(id="hollow")
    key = made.new_key("coordinator", programme_id="hollow")
    visitor = Visitor(made)
    visitor.sign_in(key)
    assert "No model serves yet." in words(visitor.get("/models"))

"""A removed entry still showed in its neighbours' lists until the next re-index (gorse; ruflo 2815)."""

from __future__ import annotations

from service import create_app
from tests.service.installation import Installation, record

NEAREST = {"experiences": ["lumpectomy"], "channel": ["phone"], "journey": "later"}


def ask(made: Installation, seeker: str, key: str) -> list[str]:
    return [match["member_id"] for match in made.match(seeker, key=key)["matches"]]


def test_who_is_erased_is_gone_from_the_lists_of_the_nearest_and_these_are_still_full(made: Installation) -> None:
    neighbours = [record(f"n-{number}", "seeker", "supporter", profile=NEAREST) for number in range(10)]
    made.add(*neighbours)
    key = made.new_key("match", "match:ids")
    before = {f"n-{number}": ask(made, f"n-{number}", key) for number in range(10)}
    gone = "n-3"
    assert any(gone in others for others in before.values())
    assert made.call("DELETE", f"/v1/members/{gone}").status_code == 200
    assert made.call("GET", f"/v1/members/{gone}").status_code == 404
    for seeker in before.keys() - {gone}:
        after = ask(made, seeker, key)
        assert gone not in after
        assert len(after) == len(set(after)) == 5
        kept = [other for other in before[seeker] if other != gone]
        assert after[: len(kept)] == kept
    assert made.call("POST", "/v1/match", {"member_id": gone}).status_code == 404


def test_nor_does_a_worker_that_starts_later_know_of_them(made: Installation) -> None:
    made.add(record("s-1", "seeker"), record("p-1"), record("p-2"))
    key = made.new_key("match", "match:ids")
    assert sorted(ask(made, "s-1", key)) == ["p-1", "p-2"]
    made.call("DELETE", "/v1/members/p-1")
    app = create_app(made.settings, clock=made.clock)  # maps the pool that was built before
    try:
        made.add(record("s-2", "seeker"))
        for seeker in ("s-1", "s-2"):
            reply = app.test_client().post(
                "/match", json={"member_id": seeker}, headers={"Authorization": f"Bearer {key}"}
            )
            assert [match["member_id"] for match in reply.get_json()["matches"]] == ["p-2"]
    finally:
        app.extensions["peermatch"].store.close()


def test_under_the_same_id_somebody_else_is_somebody_new(made: Installation) -> None:
    made.add(record("s-1", "seeker"), record("p-1"), record("p-2"))
    key = made.new_key("match", "match:ids")
    ask(made, "s-1", key)
    made.call("DELETE", "/v1/members/p-1")
    made.call("PUT", "/v1/members/p-1", record("p-1"))
    assert ask(made, "s-1", key) == ["p-2"], "who was added today is seen tomorrow"

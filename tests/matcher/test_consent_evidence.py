"""What bears a decision out, field by field: what is read, and what is refused with which words."""

from __future__ import annotations

from typing import Any

import pytest

from matcher.consent_events import ConsentEvent
from matcher.errors import RecordError
from matcher.people import Member
from matcher.programme import Programme
from tests.matcher.lantern import HASHES, LANTERN, record, with_texts

BOTH = with_texts("en", "pl")
RAW: dict[str, Any] = {
    "purpose": "train_model",
    "decision": "given",
    "policy_version": "2026-01",
    "at": "2026-02-03T10:00:00Z",
}
A_HASH = "expected the SHA-256 of the text that was agreed to, 64 characters of 0-9 a-f"


def read(of: Programme = LANTERN, **changes: Any) -> ConsentEvent:
    return ConsentEvent.from_dict({**RAW, **changes}, of)


def errors(of: Programme = LANTERN, **changes: Any) -> dict[str, str]:
    with pytest.raises(RecordError) as caught:
        Member.from_dict(record(consents=[RAW, {**RAW, **changes}]), of)
    return caught.value.errors


REFUSED = [
    ({"actor": "me"}, "actor", "found 'me'; expected one of self, guardian, staff, system"),
    ({"actor": "slef"}, "actor", "did you mean 'self'?"),
    ({"actor": None}, "actor", "found null; leave the key out"),
    ({"actor": 3}, "actor", "found 3; expected one of self, guardian, staff, system"),
    ({"actor": ["self"]}, "actor", "found an array of 1; expected one of self"),
    ({"actor": "system"}, "actor", "expected one of self, guardian, staff, or none: what is given, people decide"),
    ({"decision": "expired"}, "actor", "missing; expected 'system', for what is expired the service notes, and nobody"),
    ({"decision": "superseded", "actor": "staff"}, "actor", "found 'staff'; expected 'system', for what is superseded"),
    ({"decision": "expired", "actor": None}, "actor", "found null; leave the key out"),
    ({"method": ""}, "method", "found ''; expected how or where it was told, at most 200 characters"),
    ({"method": " \n"}, "method", "expected how or where it was told"),
    ({"method": "x" * 201}, "method", "at most 200 characters"),
    ({"method": {"form": 1}}, "method", "found an object; expected how or where it was told"),
    ({"method": None}, "method", "found null"),
    ({"method": "a\x00"}, "method", "found the character U+0000"),
    ({"locale": "english"}, "locale", "found 'english'; expected a BCP 47 tag such as en or pt-BR"),
    ({"locale": "en_GB"}, "locale", "found 'en_GB'; expected a BCP 47 tag"),
    ({"locale": "en\n"}, "locale", "expected a BCP 47 tag"),
    ({"locale": ""}, "locale", "found ''; expected a BCP 47 tag"),
    ({"locale": "en-" + "-".join(["abcde"] * 34)}, "locale", "at most 200 characters"),
    ({"locale": 1}, "locale", "found 1; expected a BCP 47 tag"),
    ({"policy_hash": "a" * 63}, "policy_hash", A_HASH),
    ({"policy_hash": "a" * 65}, "policy_hash", A_HASH),
    ({"policy_hash": "A" * 64}, "policy_hash", A_HASH),
    ({"policy_hash": "g" * 64}, "policy_hash", A_HASH),
    ({"policy_hash": "a" * 64 + "\n"}, "policy_hash", A_HASH),
    ({"policy_hash": "\u0661" * 64}, "policy_hash", A_HASH),
    ({"policy_hash": ""}, "policy_hash", A_HASH),
    ({"policy_hash": 0}, "policy_hash", A_HASH),
]


@pytest.mark.parametrize(("changes", "key", "message"), REFUSED)
def test_one_problem_by_path(changes: dict[str, Any], key: str, message: str) -> None:
    found = errors(**changes)
    assert list(found) == [f"consents[1].{key}"]
    assert message in found[f"consents[1].{key}"]


def test_of_a_decision_that_is_none_no_actor_is_wrong() -> None:
    assert list(errors(decision="yes", actor="system")) == ["consents[1].decision"]


@pytest.mark.parametrize(
    ("tag", "kept"),
    [("en", "en"), ("EN-gb", "en-GB"), ("pt-br", "pt-BR"), ("sr-latn-rs", "sr-Latn-RS"), ("ger-AT", "de-AT")],
)
def test_a_locale_is_kept_in_customary_case_under_the_one_code_of_its_language(tag: str, kept: str) -> None:
    assert read(locale=tag).locale == kept
    assert read(locale=kept).locale == kept


class TestHash:
    def test_of_the_text_is_read(self):
        for locale, value in HASHES.items():
            assert read(BOTH, locale=locale, policy_hash=value).policy_hash == value

    @pytest.mark.parametrize("locale", ["en", "EN", "eng"])
    def test_of_another_text_is_refused_with_the_way_out(self, locale):
        found = errors(BOTH, locale=locale, policy_hash=HASHES["pl"])
        assert list(found) == ["consents[1].policy_hash"]
        message = found["consents[1].policy_hash"]
        assert message.startswith(f"found {HASHES['pl'][:12]}…; expected {HASHES['en'][:12]}…, the hash of the ")
        assert "text of this version in en" in message
        assert message.endswith("needs a policy_version of its own, and policy_hash may be left out")

    def test_may_be_left_out_and_is_not_filled_in(self):
        assert read(BOTH, locale="en").policy_hash is None

    @pytest.mark.parametrize(
        ("of", "changes"),
        [
            (BOTH, {"locale": "de"}),
            (BOTH, {"locale": "en-GB"}),
            (BOTH, {}),
            (BOTH, {"locale": "en", "policy_version": "2025-01"}),
            (LANTERN, {"locale": "en"}),
        ],
    )
    def test_where_there_is_no_such_text_any_is_kept(self, of, changes):
        assert read(of, policy_hash="0" * 64, **changes).policy_hash == "0" * 64

    def test_is_checked_of_a_grant(self):
        assert list(errors(BOTH, decision="given", locale="en", policy_hash="0" * 64)) == ["consents[1].policy_hash"]

    @pytest.mark.parametrize("decision", ["refused", "withdrawn", "expired", "superseded"])
    def test_of_anything_else_is_kept_whatever_text_was_read(self, decision):
        actor = {"actor": "system"} if decision in ("expired", "superseded") else {}
        told = read(BOTH, decision=decision, locale="en", policy_hash="0" * 64, **actor)
        assert told.policy_hash == "0" * 64

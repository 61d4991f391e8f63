"""Keys derived from one secret, and the hash under which a manifest lists a member."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from matcher.errors import ModelError
from matcher.model.signing import derive, is_signed, public_bytes, public_key, signing_key, training_id, training_key
from tests.matcher.model.village import SECRET


def hkdf(secret, info):
    """RFC 5869 for one block, from its text."""
    extracted = hmac.new(bytes(32), secret, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()


class TestDerive:
    def test_is_hkdf_sha256_with_the_use_as_info(self):
        assert derive(SECRET, "model-signature/1") == hkdf(SECRET, b"peermatch/model-signature/1")

    def test_every_use_programme_and_secret_has_a_key_of_its_own(self):
        keys = [
            derive(SECRET, "a"),
            derive(SECRET, "b"),
            derive(SECRET[::-1], "a"),
            training_key(SECRET, "village"),
            training_key(SECRET, "lantern"),
            signing_key(SECRET).private_bytes_raw(),
        ]
        assert len(set(keys)) == len(keys)

    def test_a_short_secret_is_refused_without_being_shown(self):
        with pytest.raises(ModelError) as caught:
            derive(b"hunter2", "a")
        assert "found 7 bytes; expected at least 32" in caught.value.message
        assert "hunter2" not in caught.value.message


class TestSignature:
    def test_verifies_for_its_message_and_key_alone(self):
        key = signing_key(SECRET)
        signature = key.sign(b"message")
        assert is_signed(b"message", signature, key.public_key())
        assert is_signed(b"message", signature, public_key(public_bytes(key)))
        assert public_bytes(key) == public_bytes(key.public_key())
        assert not is_signed(b"Message", signature, key.public_key())
        assert not is_signed(b"message", signature[:-1], key.public_key())
        assert not is_signed(b"message", b"", key.public_key())
        assert not is_signed(b"message", signature, signing_key(SECRET[::-1]).public_key())

    def test_the_same_secret_signs_alike(self):
        assert signing_key(SECRET).sign(b"x") == signing_key(SECRET).sign(b"x")

    def test_a_public_key_of_another_length_is_refused(self):
        with pytest.raises(ModelError, match="found 3 bytes; expected 32"):
            public_key(b"abc")


class TestTrainingId:
    def test_can_be_told_with_the_key_only(self):
        key = training_key(SECRET, "village")
        assert training_id("m-1", key) == hmac.new(key, b"m-1", hashlib.sha256).hexdigest()[:32]
        assert training_id("m-1", key) != training_id("m-2", key)
        assert training_id("m-1", key) != training_id("m-1", training_key(SECRET, "lantern"))

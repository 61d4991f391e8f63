"""Keys derived from an installation's secret: who signed a model, and whether somebody was in it.

One secret of 32 bytes serves all; HKDF (Krawczyk 2010) gives every use a key of its own, so that none tells another.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from matcher.errors import ModelError

KEY_BYTES = 32
SIGNATURE_BYTES = 64


def derive(secret: bytes, label: str) -> bytes:
    """Return 32 bytes for the use that `label` names, derived from the installation's secret.

    Raises
    ------
    ModelError
        If the secret is shorter than 32 bytes. It is never shown.
    """
    if len(secret) < KEY_BYTES:
        raise ModelError(f"the installation's secret: found {len(secret)} bytes; expected at least {KEY_BYTES}")
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"peermatch/{label}".encode()).derive(secret)


def signing_key(secret: bytes) -> Ed25519PrivateKey:
    """Return the key that signs this installation's models."""
    return Ed25519PrivateKey.from_private_bytes(derive(secret, "model-signature/1"))


def training_key(secret: bytes, programme_id: str) -> bytes:
    """Return the key of `training_id` for one programme, so that no hash links members of two programmes."""
    return derive(secret, f"training-id/1/{programme_id}")


def training_id(member_id: str, key: bytes) -> str:
    """Return the keyed hash (HMAC-SHA256, 128 bits, hexadecimal) under which a manifest lists `member_id`.

    With the key, and only with it, "was I in this model?" can be answered.
    """
    return hmac.new(key, member_id.encode(), hashlib.sha256).hexdigest()[:32]


def public_bytes(key: Ed25519PrivateKey | Ed25519PublicKey) -> bytes:
    """Return the 32 bytes of a public key, as they may be kept or handed on."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return public.public_bytes_raw()


def public_key(raw: bytes) -> Ed25519PublicKey:
    """Return the public key of 32 `raw` bytes; raise ModelError where there are not 32."""
    if len(raw) != KEY_BYTES:
        raise ModelError(f"the public key: found {len(raw)} bytes; expected {KEY_BYTES}")
    return Ed25519PublicKey.from_public_bytes(raw)


def is_signed(message: bytes, signature: bytes, key: Ed25519PublicKey) -> bool:
    """Return whether `signature` is of `message` under `key`."""
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True

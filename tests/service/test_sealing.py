"""Sealed texts open only with their key, and only where they were put."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from threading import Event, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import sealing
from service.sealing import (
    DataKey,
    Keyring,
    MissingKeyError,
    SealError,
    create_keyring,
    key_of,
    new_key,
    read_keyring,
    write_keyring,
)
from service.settings import Settings, SettingsError

PLACE = ("lantern", "members", "m-1")
PARTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)


def settings_in(folder: Path, **more: str) -> Settings:
    return Settings.from_environment({"PEERMATCH_HOME": str(folder), **more})


@given(PARTS, PARTS, PARTS, st.binary(max_size=300))
def test_what_was_sealed_opens(programme: str, table: str, row: str, text: bytes) -> None:
    ring = Keyring([new_key()])
    sealed = ring.seal(programme, table, row, text)
    assert ring.open(programme, table, row, sealed) == text
    assert len(text) < 4 or text not in sealed
    assert ring.seal(programme, table, row, text) != sealed  # never the same nonce


@given(st.tuples(PARTS, PARTS, PARTS), st.tuples(PARTS, PARTS, PARTS))
def test_it_opens_nowhere_else(place: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    ring = Keyring([new_key()])
    sealed = ring.seal(*place, b"text")
    if place == other:
        assert ring.open(*other, sealed) == b"text"
    else:
        with pytest.raises(SealError, match="changed outside"):
            ring.open(*other, sealed)


def test_every_bit_counts() -> None:
    ring = Keyring([new_key()])
    sealed = ring.seal(*PLACE, b"text")
    for place in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(SealError):
            ring.open(*PLACE, bytes(changed))
    for length in range(len(sealed)):
        with pytest.raises(SealError):
            ring.open(*PLACE, sealed[:length])
    with pytest.raises(SealError, match="changed outside"):
        ring.open(*PLACE, '{"member_id": "m-1"}')


def test_another_key_opens_nothing_and_an_older_one_of_the_ring_does() -> None:
    first, second = new_key(), new_key()
    sealed = Keyring([first]).seal(*PLACE, b"text")
    with pytest.raises(MissingKeyError, match="put the file back"):
        Keyring([second]).open(*PLACE, sealed)
    both = Keyring([second, first])
    assert both.open(*PLACE, sealed) == b"text"
    assert not both.is_current(sealed)
    assert key_of(sealed) == first.key_id.hex()
    assert both.is_current(both.seal(*PLACE, b"text"))
    assert both.current == second.key_id.hex()


def test_the_ring_hears_of_a_rotation(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    ring = create_keyring(settings)
    assert read_keyring(settings).keys == create_keyring(settings).keys == ring.keys
    first = ring.seal(*PLACE, b"text")
    write_keyring(settings, [new_key(), *ring.keys])
    elsewhere = read_keyring(settings).seal(*PLACE, b"other")
    assert ring.open(*PLACE, elsewhere) == b"other"
    assert ring.open(*PLACE, first) == b"text"
    assert not ring.is_current(first)
    assert key_of(ring.seal(*PLACE, b"text")) == key_of(elsewhere)


def test_the_file_is_private_and_named_in_every_refusal(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with pytest.raises(SettingsError, match=r"data\.keys: found no data keys"):
        read_keyring(settings)
    ring = create_keyring(settings)
    file = settings.data_key_file
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["data.keys"]
    sound = file.read_text("ascii")
    assert ring.keys[0].secret.hex() not in repr(ring.keys)
    for damaged in ("", "nonsense\n", sound[:-9], sound + sound, "ü"):
        file.write_text(damaged, encoding="utf-8")
        with pytest.raises(SettingsError, match=r"data\.keys: "):
            read_keyring(settings)
    file.write_text(sound, encoding="ascii")
    file.chmod(0o640)
    with pytest.raises(SettingsError, match="found mode 0640"):
        read_keyring(settings)
    named = settings_in(tmp_path, PEERMATCH_DATA_KEY_FILE=str(file))
    assert read_keyring(named).keys == ring.keys  # its mode is the orchestrator's


def test_a_rotation_that_comes_while_the_file_is_read_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(tmp_path)
    old = create_keyring(settings)
    read = sealing._read

    def slowly(path: Path) -> list[DataKey]:
        keys = read(path)
        if len(keys) == 1:
            write_keyring(settings, [new_key(), *keys])
        return keys

    monkeypatch.setattr(sealing, "_read", slowly)
    ring = read_keyring(settings)
    monkeypatch.undo()
    assert key_of(ring.seal(*PLACE, b"text")) == read_keyring(settings).current != old.current


def test_threads_that_seal_during_a_rotation_seal_what_opens(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    ring = create_keyring(settings)
    stop, sealed = Event(), []

    def work() -> None:
        while not stop.is_set():
            sealed.append(ring.seal(*PLACE, b"text"))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    threads = [Thread(target=work) for _ in range(4)]
    try:
        for thread in threads:
            thread.start()
        for _ in range(40):
            write_keyring(settings, [new_key(), *read_keyring(settings).keys])
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(before)
    whole = read_keyring(settings)
    assert {whole.open(*PLACE, one) for one in sealed} == {b"text"}
    assert len({key_of(one) for one in sealed}) > 1


def test_the_file_stays_its_owners(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    ring = create_keyring(settings)
    real = tmp_path / "mounted" / "keys"
    real.parent.mkdir()
    settings.data_key_file.rename(real)
    settings.data_key_file.symlink_to(real)
    if os.getuid() == 0:
        os.chown(real, 12, 34)
    write_keyring(settings, [new_key(), *ring.keys])
    assert settings.data_key_file.is_symlink()
    assert len(read_keyring(settings).keys) == 2
    if os.getuid() == 0:
        assert (real.stat().st_uid, real.stat().st_gid) == (12, 34)

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service import security
from service.settings import Settings, SettingsError
from tests.service.installation import settings_in


def test_a_token_has_256_random_bits_and_is_stored_as_sha256() -> None:
    token = security.new_token()
    key_id, secret = token.text.removeprefix("pm_").split("_", 1)
    assert security.split_token(token.text) == (key_id, secret)
    assert token.key_id == key_id
    assert len(secret) == 43  # 32 bytes in base64
    assert token.digest == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in repr(token)
    assert len({security.new_token().text for _ in range(50)}) == 50


@pytest.mark.parametrize("text", ["", "pm_", "pm_a_b", "pm_" + "a" * 16 + "_" + "é" * 43, "x" + "a" * 99])
def test_what_is_no_token_is_none(text: str) -> None:
    assert security.split_token(text) is None


def test_a_token_with_anything_around_it_is_none() -> None:
    text = security.new_token().text
    assert security.split_token(text + "\n") is None
    assert security.split_token(" " + text) is None


def test_the_secret_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    key = security.create_secret_key(settings)
    assert len(key) == 32
    assert security.create_secret_key(settings) == key == security.read_secret_key(settings)
    assert settings.secret_key_file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in settings.home.iterdir()] == ["secret.key"]


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: security.create_secret_key(settings), range(16)))
    assert len(found) == 1


def test_a_missing_key_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="found no secret key; expected the file that `peermatch init` writes"):
        security.read_secret_key(settings_in(tmp_path))


@pytest.mark.parametrize("text", ["", "00", "z" * 64, "0" * 63, "é" * 32])
def test_a_malformed_key_is_refused_and_not_shown(text: str, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    security.create_secret_key(settings)
    settings.secret_key_file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        security.read_secret_key(settings)
    assert not text or text not in caught.value.message


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    security.create_secret_key(settings)
    settings.secret_key_file.chmod(0o644)
    with pytest.raises(SettingsError, match="found mode 0644; expected 0600"):
        security.read_secret_key(settings)


def test_a_mounted_key_has_the_mode_that_the_orchestrator_gave_it(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    key = security.create_secret_key(settings)
    settings.secret_key_file.chmod(0o444)
    mounted = Settings.from_environment({"PEERMATCH_SECRET_KEY_FILE": str(settings.secret_key_file)})
    assert security.read_secret_key(mounted) == key

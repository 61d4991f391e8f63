from __future__ import annotations

from pathlib import Path

import pytest

from service.settings import Settings, SettingsError


def test_every_variable_has_a_default() -> None:
    settings = Settings.from_environment({})
    assert settings.home == Path("var")
    assert settings.run == Path("var/run")
    assert settings.secret_key_file == Path("var/secret.key")
    assert settings.database_file == Path("var/peermatch.db")
    assert not settings.secret_key_mounted
    assert not settings.metrics_open
    assert settings.console
    assert settings.model_folder("lantern", "7") == Path("var/models/lantern/7")


def test_the_database_lies_in_the_home_that_was_chosen(tmp_path: Path) -> None:
    settings = Settings.from_environment({"PEERMATCH_HOME": str(tmp_path), "PEERMATCH_DATABASE_URL": "  "})
    assert settings.database_file == tmp_path / "peermatch.db"


def test_a_server_database_has_no_file() -> None:
    url = "postgresql+psycopg://user:canary-word@host/name"
    settings = Settings.from_environment({"PEERMATCH_DATABASE_URL": url})
    assert settings.database_file is None
    assert settings.url.host == "host"
    assert "canary-word" not in repr(settings)
    assert "canary-word" not in str(settings.url)


def test_the_driver_of_postgresql_need_not_be_told() -> None:
    settings = Settings.from_environment({"PEERMATCH_DATABASE_URL": "postgresql://user@host/name?sslmode=require"})
    assert settings.url.render_as_string() == "postgresql+psycopg://user@host/name?sslmode=require"


@pytest.mark.parametrize(
    "value",
    [
        "nonsense", "mysql://host/name", "sqlite://", "sqlite:///:memory:", "://", "http://user:canary-word@host/",
        "postgresql+asyncpg://user:canary-word@host/name", "postgresql+nosuchdriver://host/name",
    ],
)  # fmt: skip
def test_a_bad_database_address_is_named_and_never_repeated(value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({"PEERMATCH_DATABASE_URL": value})
    assert caught.value.message.startswith("PEERMATCH_DATABASE_URL: found ")
    assert "expected" in caught.value.message
    assert "canary-word" not in caught.value.message


@pytest.mark.parametrize("name", ["PEERMATCH_HOME", "PEERMATCH_RUN"])
def test_a_folder_that_is_a_file_is_refused(name: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SettingsError, match=f"{name}: found a file; expected the path of a folder"):
        Settings.from_environment({name: str(file)})
    with pytest.raises(SettingsError, match=f"{name}: found a NUL"):
        Settings.from_environment({name: "a\0b"})


def test_a_key_file_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="PEERMATCH_SECRET_KEY_FILE: found a folder"):
        Settings.from_environment({"PEERMATCH_SECRET_KEY_FILE": str(tmp_path)})


@pytest.mark.parametrize(("text", "is_open"), [("open", True), (" key ", False), ("", False)])
def test_metrics_are_open_only_where_it_is_said(text: str, is_open: bool) -> None:
    assert Settings.from_environment({"PEERMATCH_METRICS": text}).metrics_open is is_open


@pytest.mark.parametrize("text", ["Open", "1", "closed"])
def test_whether_metrics_are_open_is_not_guessed(text: str) -> None:
    with pytest.raises(SettingsError, match="PEERMATCH_METRICS"):
        Settings.from_environment({"PEERMATCH_METRICS": text})


def test_the_console_is_there_unless_it_is_off() -> None:
    assert Settings.from_environment({"PEERMATCH_CONSOLE": "on"}).console
    assert not Settings.from_environment({"PEERMATCH_CONSOLE": " off "}).console
    for wrong in ("0", "OFF", "false", "yes"):
        with pytest.raises(SettingsError, match="PEERMATCH_CONSOLE: found"):
            Settings.from_environment({"PEERMATCH_CONSOLE": wrong})

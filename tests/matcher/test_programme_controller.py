"""Who answers for the data: what `[controller]` says."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from matcher.errors import ProgrammeError
from matcher.programme import Programme
from matcher.programme_controller import Controller
from tests.matcher.lantern import HERE, LANTERN
from tests.matcher.test_programme import MINIMAL

NAMED = 'name = "Lantern Trust"\ncontact = "data@lantern.example"\n'
WHOLE = f'{NAMED}privacy_notice = "https://lantern.example/privacy"\ncountry = "GB"\n'


def read(table: str) -> Controller | None:
    return Programme.from_text(f"{MINIMAL}[controller]\n{table}", HERE).controller


def test_is_not_needed() -> None:
    assert LANTERN.controller is None


def test_is_read() -> None:
    assert read(WHOLE) == Controller(
        name="Lantern Trust",
        contact="data@lantern.example",
        privacy_notice="https://lantern.example/privacy",
        country="GB",
    )


def test_name_and_contact_are_enough() -> None:
    controller = read(NAMED)
    assert controller == Controller(
        name="Lantern Trust", contact="data@lantern.example", privacy_notice=None, country=None
    )
    with pytest.raises(FrozenInstanceError):
        controller.name = "Another"  # type: ignore[misc, union-attr]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "name: found nothing; expected text"),
        ('name = "Lantern Trust"\n', "contact: found nothing; expected text"),
        ('name = ""\ncontact = "x"\n', "name: found ''; expected text that is not empty"),
        (f'{NAMED}privacy_notice = "lantern.example"\n', "privacy_notice: found 'lantern.example'; expected text that"),
        (f'{NAMED}privacy_notice = "javascript:alert(1)"\n', "privacy_notice: found 'javascript:alert(1)'; expected"),
        (f'{NAMED}privacy_notice = "https://a b"\n', "privacy_notice: found 'https://a b'; expected text that"),
        (f'{NAMED}country = "gb"\n', "country: found 'gb'; expected text that matches [A-Z]{2}"),
        (f'{NAMED}country = "GBR"\n', "country: found 'GBR'; expected text that matches [A-Z]{2}"),
        (f'{NAMED}phone = "1"\n', "phone: unknown key; expected one of name, contact, privacy_notice, country"),
    ],
)
def test_what_is_refused(table: str, message: str) -> None:
    with pytest.raises(ProgrammeError) as caught:
        read(table)
    assert caught.value.message.startswith(f"programme.toml, line 13, [controller] {message}")


def test_it_is_part_of_what_a_programme_says() -> None:
    one, other = (Programme.from_text(f"{MINIMAL}[controller]\n{table}", HERE) for table in (NAMED, WHOLE))
    assert len({one.digest, other.digest, Programme.from_text(MINIMAL, HERE).digest}) == 3

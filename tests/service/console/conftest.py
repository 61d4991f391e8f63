"""What is about pages and figures runs on PostgreSQL under ``make test-deep``: none of it is about databases."""

import pytest

from tests.service.conftest import database_of
from tests.service.databases import SAMPLED, Database


@pytest.fixture(scope="session", params=SAMPLED)
def database(request: pytest.FixtureRequest) -> Database:
    """The database that a test runs on."""
    return database_of(request)

"""Issues of the service are told with the installation that its own tests use."""

import pytest

from tests.service.conftest import cluster, database_of, known_templates, made, passing, small, template
from tests.service.databases import SAMPLED, Database

__all__ = ["cluster", "database", "known_templates", "made", "passing", "small", "template"]


@pytest.fixture(scope="session", params=SAMPLED)
def database(request: pytest.FixtureRequest) -> Database:
    """The database that a test runs on: none of these is about databases."""
    return database_of(request)

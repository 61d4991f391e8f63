"""Issues of the service are told with the installation that its own tests use."""

from tests.service.conftest import made, template

__all__ = ["made", "template"]

"""The HTTP resources: one file each, schemas and routes together."""

from service.api import match, members, probes

RESOURCES = (members.blueprint, match.blueprint, probes.blueprint)

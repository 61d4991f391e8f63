"""The HTTP resources: one file each, schemas and routes together."""

from service.api import blocks, consents, feedback, groups, holds, match, members, probes, programme

RESOURCES = (
    programme.blueprint,
    members.blueprint,
    consents.blueprint,
    holds.blueprint,
    blocks.blueprint,
    groups.blueprint,
    match.blueprint,
    feedback.blueprint,
    probes.blueprint,
)

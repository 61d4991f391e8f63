"""The HTTP resources: one file each, schemas and routes together."""

from service.api import (
    audit_log,
    blocks,
    consents,
    feedback,
    groups,
    holds,
    match,
    members,
    probes,
    programme,
    receipts,
    rights,
)

RESOURCES = (
    programme.blueprint,
    members.blueprint,
    rights.blueprint,
    consents.blueprint,
    receipts.blueprint,
    holds.blueprint,
    blocks.blueprint,
    groups.blueprint,
    match.blueprint,
    feedback.blueprint,
    audit_log.blueprint,
    probes.blueprint,
)

"""What the audit log tells of."""

from __future__ import annotations

from typing import Final

MEANINGS: Final = {
    "consent.recorded": "A decision about what a member's data may be used for was written down.",
    "consents.read": "The history of a member's decisions was read.",
    "receipt.read": "The receipt of a decision was read.",
    "member.exported": "All that is held on a member was read.",
    "member.erased": "A member was erased.",
    "member.restored": "A member who had been erased was stored again, after a new decision.",
    "hold.placed": "A member is matched with nobody for a while.",
    "hold.lifted": "A hold was ended before its time.",
    "block.made": "Two members are never shown to each other; the entry names neither.",
    "block.lifted": "A block was lifted; the entry names neither.",
    "console.entered": "Somebody signed in to the console with this API key.",
    "introduction.made": "A coordinator introduced two members; the entry names neither.",
    "introduction.approved": "A coordinator approved what a seeker had proposed.",
    "introduction.rejected": "A coordinator rejected what a seeker had proposed.",
    "introduction.suspended": "A coordinator suspended an introduction.",
    "introduction.resumed": "A coordinator let an introduction go on.",
    "introduction.ended": "A coordinator ended an introduction.",
    "review.read": "What waits for a coordinator was read.",
    "waiting.read": "Who waits was read.",
    "report.read": "A report was read.",
    "members.imported": "Members were imported from a file.",
    "feedback.imported": "Feedback was imported from a file.",
    "groups.imported": "Groups were imported from a file.",
    "blocks.imported": "Blocks were imported from a file; the entry names nobody.",
    "programme.created": "The programme was set up.",
    "programme.applied": "The programme's file was applied.",
    "model.published": "A model was learnt and published.",
    "model.activated": "Another model was activated.",
    "key.created": "An API key was made.",
    "key.rotated": "An API key was replaced by a new one.",
    "key.revoked": "An API key was revoked.",
    "data_key.rotated": "What is stored was sealed with a new data key.",
    "backup.made": "A backup was made.",
    "backup.restored": "The database was restored from a backup.",
    "retention.applied": "What was kept long enough was deleted.",
    "audit.read": "This log was read.",
    "audit.trimmed": "Entries older than the programme keeps them were deleted from the start of this log.",
    "audit.signed": "Where this log ends was written to the second place.",
}
"""Each action with its meaning, as the documents tell it."""

ACTIONS: Final = tuple(MEANINGS)

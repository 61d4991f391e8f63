"""Receipts of decisions, in the two forms that others read: ISO/IEC TS 27560 and FHIR R4."""

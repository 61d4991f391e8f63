"""Peermatch's library: finds the right peer for a person in a peer-support programme.

No Flask, no SQL, no network, and no clock but for one reading in :mod:`matcher.facade`.
"""

__version__ = "0.1.0"

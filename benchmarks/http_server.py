"""``peermatch serve`` with the application of `benchmarks.http_app`."""

from __future__ import annotations

from benchmarks.http_app import make
from service import wsgi
from service.cli import main

if __name__ == "__main__":
    wsgi.make = make  # workers are forked, and find it there
    main()

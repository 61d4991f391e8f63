"""Peermatch under gunicorn: ``gunicorn -c deploy/gunicorn.conf.py service.wsgi:app``.

Everything can be overridden on the command line, e.g. ``--bind 0.0.0.0:8000 --workers 2``.
"""

import os

from service import metric_files
from service.settings import Settings

bind = "127.0.0.1:8000"
workers = 1
worker_class = "gthread"
threads = 64  # they wait for bodies; one at a time works
keepalive = 30
timeout = 60  # of a worker that shows no sign of life; requests have PEERMATCH_TIMEOUT
graceful_timeout = 8
accesslog = None  # it would write addresses, which name members
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "service.logs.ServerLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {"gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "propagate": False}},
}
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108


def on_starting(_server):
    """Make the folder in which all workers count."""
    metric_files.prepare(Settings.from_environment(os.environ).run)


def child_exit(_server, _worker):
    """Forget what a worker that ended said of its pools."""
    folder = metric_files.folder()
    if folder is not None:
        metric_files.forget_the_dead(folder)


def on_exit(_server):
    """Remove the folder."""
    metric_files.remove()

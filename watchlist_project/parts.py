"""What each part of the program does once it is a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import sys
import warnings
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from celery.apps.beat import Beat
from celery.exceptions import SecurityWarning
from django.conf import settings
from django.template import engines
from django.urls import get_resolver

from watchlist_project.celery import app
from watchlist_project.embedded_broker import EmbeddedBroker
from watchlist_project.processes import rename
from watchlist_project.queues import CHECK_QUEUES, DOWNLOAD_QUEUES
from watchlist_project.supervisor import Part
from watchlist_project.web import serve

CHECK_PROCESSES = 2
# Modules that a part would otherwise import by itself, each in memory of its own.
_SHARED_MODULES = (
    "billiard.popen_fork",
    "billiard.sharedctypes",
    "celery.app.routes",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.concurrency.prefork",
    "celery.events.receiver",
    "celery.worker.consumer",
    "django.contrib.auth.management",
    "django.core.handlers.wsgi",
    "django.template.loader",
    "gunicorn.workers.gthread",
    "kombu.transport.redis",
    "watchlist_project.beat_scheduler",
    "watchlist_project.cache",
    "watchlist_project.preparation",
)


def preload() -> None:
    """Import in the supervisor what the parts use, once for all of them."""
    middleware = (path.rpartition(".")[0] for path in settings.MIDDLEWARE)
    for module in (*_SHARED_MODULES, *middleware, f"{_engine()}.base"):
        import_module(module)
    _ = get_resolver().url_patterns
    # Reads the tag libraries of every app.
    engines.all()
    app.loader.init_worker()
    app.finalize()
    with suppress(OSError):
        # Every worker process asks this, and compiles a C declaration for it the first time.
        import_module("billiard.util").get_pdeathsig()


def broker_part(broker: EmbeddedBroker, lock: int) -> Part:
    """The embedded broker; it writes what it holds when the supervisor is killed."""

    def run() -> None:
        _become_program(broker.prepare(), lock, umask=0o077)

    return Part("broker", run, is_base=True, death_signal=signal.SIGTERM)


def demo_part(port: int, publish_every_seconds: int, lock: int) -> Part:
    """The demo site, a server on loopback."""

    def run() -> None:
        os.chdir(settings.BASE_DIR)
        command = [sys.executable, "-m", "providers.demo", "--port", str(port)]
        _become_program([*command, "--publish-every", str(publish_every_seconds)], lock)

    return Part("demo site", run, is_base=True)


def web_part(listener: socket.socket) -> Part:
    """The web server."""
    return Part("web", lambda: serve(listener), keeps=frozenset({listener.fileno()}))


def checks_part() -> Part:
    """The worker for the schedule's ticks and for checks, those asked for by hand first."""
    return Part("checks", lambda: _work("checks", CHECK_QUEUES, CHECK_PROCESSES))


def downloads_part() -> Part:
    """The worker for downloads."""
    processes = settings.MAX_PARALLEL_DOWNLOADS
    return Part("downloads", lambda: _work("downloads", DOWNLOAD_QUEUES, processes))


def beat_part() -> Part:
    """The one process that sends what is due."""
    return Part("beat", lambda: _Beat(app=app, quiet=True).run())


class _Beat(Beat):
    def set_process_title(self) -> None:
        """Add to the part's name what it is."""
        rename("beat (celery beat)")


def _engine() -> str:
    return str(settings.DATABASES["default"]["ENGINE"])


def _work(name: str, queues: tuple[str, ...], processes: int) -> None:
    # Celery advises against root, because pickled messages could do anything; ours are JSON.
    warnings.simplefilter("ignore", SecurityWarning)
    worker = app.Worker(
        hostname=f"{name}@{socket.gethostname()}",
        queues=list(queues),
        concurrency=processes,
        pool="prefork",
        quiet=True,
        # Workers of one machine learn nothing from each other's chatter.
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    raise SystemExit(worker.exitcode)


def _become_program(command: list[str], lock: int, *, umask: int | None = None) -> None:
    """Replace this process by another program, which holds the lock of the parts in its turn."""
    if umask is not None:
        os.umask(umask)
    os.set_inheritable(lock, True)  # noqa: FBT003 -- the standard library's own signature
    # What goes wrong is on standard error; what these programs say otherwise is for tests.
    with Path(os.devnull).open("r+b") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(nothing.fileno(), 1)
    os.execv(command[0], command)  # noqa: S606 -- fixed arguments, no shell

"""The whole start of `manage.py up`, in order, and the stop."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.core.cache import cache

from watchlist_project import demo_environment, parts, preparation
from watchlist_project.broker import client_url
from watchlist_project.celery import SIGNS_OF_LIFE
from watchlist_project.embedded_broker import READY_SECONDS, EmbeddedBroker
from watchlist_project.env import BadSetting
from watchlist_project.logfile import LogFile
from watchlist_project.ownership import DataDirOwner
from watchlist_project.processes import SignalPipe, rename
from watchlist_project.supervisor import Supervisor, freeze_memory
from watchlist_project.web import open_socket

logger = logging.getLogger(__name__)


def up(*, is_demo: bool = False) -> int:
    """Run every part until a stop is asked for; the exit code."""
    rename("supervisor")
    owner, log = DataDirOwner(settings.DATA_DIR), LogFile(settings.DATA_DIR)
    listener: socket.socket | None = None
    try:
        owner.acquire()
        log.open()
        listener = open_socket(settings.HOST, settings.PORT)
        parts.preload()
        with SignalPipe() as signals:
            return _supervise(signals, owner, listener, log, is_demo=is_demo)
    except BadSetting as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        if listener:
            listener.close()
        owner.release()


def _supervise(
    signals: SignalPipe,
    owner: DataDirOwner,
    listener: socket.socket,
    log: LogFile,
    *,
    is_demo: bool,
) -> int:
    private = (owner.own_descriptor, listener.fileno())
    supervisor = Supervisor(signals, private)
    if threading.active_count() > 1:
        # A lock that another thread holds during a fork stays locked in the child for ever.
        raise BadSetting("Cannot start: something started a thread before the parts were forked.")
    freeze_memory()
    try:
        if not _start_base(supervisor, owner, is_demo=is_demo):
            return 0
        if not supervisor.run_once(lambda: _prepare(is_demo=is_demo), "preparation"):
            return 0 if supervisor.is_stopping else 1
        for part in (
            parts.web_part(listener),
            parts.checks_part(),
            parts.downloads_part(),
            parts.beat_part(),
        ):
            supervisor.start(part)
        _announce(listener, is_demo=is_demo)
        supervisor.watch(log.put_aside)
        logger.info("Stopping")
    finally:
        supervisor.stop()
    return 0


def _start_base(supervisor: Supervisor, owner: DataDirOwner, *, is_demo: bool) -> bool:
    """Start what the others need and wait until it answers; False when asked to stop."""
    if is_demo:
        port = demo_environment.site_port()
        supervisor.start(
            parts.demo_part(port, demo_environment.PUBLISH_EVERY_SECONDS, owner.parts_descriptor)
        )
    if settings.USES_EMBEDDED_BROKER:
        broker = EmbeddedBroker(settings.DATA_DIR)
        supervisor.start(parts.broker_part(broker, owner.parts_descriptor))
        if not supervisor.wait_until(broker.answers, READY_SECONDS, broker.what_is_wrong):
            return False
    else:
        address = urlsplit(settings.REDIS_URL)
        where = (address.hostname or address.path, address.port or 6379)
        problem = f"the broker of REDIS_URL does not answer at {where[0]} port {where[1]}"
        if not supervisor.wait_until(_external_broker_answers, READY_SECONDS, lambda: problem):
            return False
    if is_demo:
        problem = f"the demo site does not answer on port {port}"
        return supervisor.wait_until(lambda: _accepts(port), READY_SECONDS, lambda: problem)
    return True


def _prepare(*, is_demo: bool) -> None:
    preparation.prepare()
    if settings.USES_EMBEDDED_BROKER:
        # It keeps the signs of life of workers that were stopped a moment ago.
        cache.delete_many(SIGNS_OF_LIFE)
    if is_demo:
        demo_environment.seed()


def _external_broker_answers() -> bool:
    client = redis.Redis.from_url(client_url(settings.REDIS_URL), socket_timeout=2)
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        time.sleep(0.2)
        return False
    finally:
        client.close()


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _announce(listener: socket.socket, *, is_demo: bool) -> None:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    shown = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(shown, shown)  # noqa: S104 -- only shown
    address = f"http://{shown}:{port}"
    logger.info("Tsuzuku is at %s (Ctrl-C stops it)", address)
    if is_demo:
        logger.info("Demo: sign in at %s as demo with the password demo", address)

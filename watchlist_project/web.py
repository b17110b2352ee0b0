"""The web server's one set of options, and gunicorn's worker as a part of the supervisor."""

from __future__ import annotations

import errno
import logging
import os
import socket
from importlib import import_module
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from watchlist_project.env import BadSetting
from watchlist_project.processes import die_with_parent, rename

_BACKLOG = 512


class OurLogger(Logger):  # type: ignore[misc] # gunicorn has no types
    """Gunicorn's log goes where everything else goes, and only what somebody must know."""

    def setup(self, cfg: Any) -> None:
        """Leave the handlers to Django's logging."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)


def post_fork(server: Any, _worker: Any) -> None:
    """The worker must not outlive its arbiter."""
    die_with_parent(server.pid)
    rename("web worker (gunicorn)")


OPTIONS: dict[str, Any] = {
    "worker_class": "gthread",
    "workers": 1,
    # Six may wait for providers and six for posters; the others are always there for pages.
    "threads": 16,
    "keepalive": 30,
    "timeout": 60,
    "graceful_timeout": 5,
    "preload_app": True,
    "logger_class": OurLogger,
    "control_socket_disable": True,
    "post_fork": post_fork,
    "proc_name": "tsuzuku",
    # A client that sends its request a byte at a time, or an endless one, is cut off.
    "limit_request_line": 8190,
    "limit_request_fields": 64,
}


def open_socket(host: str, port: int) -> socket.socket:
    """A listening socket. Raises BadSetting when the address cannot be had."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _name, address = found[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise BadSetting(_no_such_host(host, error)) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by every connection: small answers are not held back.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise BadSetting(_no_such_host(host, error)) from None
        raise BadSetting(
            f"Cannot start: PORT={port} on {host} cannot be used ({error.strerror}); "
            "accepted: a free port from 1 to 65535, or 0 for any."
        ) from None
    return listener


def _no_such_host(host: str, error: OSError) -> str:
    return (
        f"Cannot start: HOST={host!r} is not valid; accepted: a name or address of this "
        f"machine ({error.strerror})."
    )


def serve(listener: socket.socket) -> None:
    """Serve on a socket that is already open, until SIGTERM.

    One of gunicorn's workers without its arbiter: the supervisor does what an arbiter does, and a
    process less saves the memory of one.
    """
    rename("web (gunicorn)")
    application = _Application()
    configuration = application.cfg
    log = configuration.logger_class(configuration)
    timeout = configuration.timeout
    worker = ThreadWorker(1, os.getppid(), [listener], application, timeout, configuration, log)
    worker.pid = os.getpid()
    worker.init_process()


class _Application(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    def load_config(self) -> None:
        for name, value in OPTIONS.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        # It reads the folder of static files, which is not there yet when this module is imported.
        return import_module("watchlist_project.wsgi").application

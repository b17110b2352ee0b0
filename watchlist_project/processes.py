"""Forking the parts: what a process must do about its parent, its descriptors and its signals."""

from __future__ import annotations

import ctypes
import logging
import os
import select
import signal
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType

import setproctitle

logger = logging.getLogger(__name__)

HANDLED_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
_PR_SET_PDEATHSIG = 1
# Loaded at import: between a fork and an exec nothing may be looked up any more.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent: int, signal_number: int = signal.SIGKILL) -> None:
    """Get this signal when the parent ends, however it ends (Linux); called in the child.

    The parent may have ended before the request was in place, so that is looked at afterwards.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:
        os._exit(1)


def rename(title: str) -> None:
    """Show this process as `tsuzuku: <title>` in lists of processes.

    The title names the program as well, for whoever looks for a Celery worker or gunicorn.
    """
    setproctitle.setproctitle(f"tsuzuku: {title}")


def fork(
    run: Callable[[], object],
    title: str,
    *,
    close: Iterable[int] = (),
    death_signal: int = signal.SIGKILL,
) -> int:
    """Run `run` in a child process of its own session and return the child's id.

    The child loses the descriptors of `close`, has default signal handlers, and ends when `run`
    returns: 0, or the code of a SystemExit, whose text goes to standard error.
    """
    # The terminal may have gone away.
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    parent = os.getpid()
    # A signal between the fork and the reset would run the parent's handler in the child.
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED_SIGNALS)
    try:
        pid = os.fork()
        if pid == 0:
            _become_child(run, title, parent=parent, close=close, death_signal=death_signal)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED_SIGNALS)


def _become_child(
    run: Callable[[], object],
    title: str,
    *,
    parent: int,
    close: Iterable[int],
    death_signal: int,
) -> None:
    code = 1
    try:
        die_with_parent(parent, death_signal)
        # Ctrl-C in a terminal goes to a whole group; the parts are stopped by the supervisor only.
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in HANDLED_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        # A wake-up pipe, a lock or a socket that a part keeps would outlive the supervisor.
        for descriptor in close:
            os.close(descriptor)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED_SIGNALS)
        rename(title)
        run()
        code = 0
    except SystemExit as error:
        code = _exit_code(error)
    except BaseException:
        logger.exception("%s ended with an error", title)
    finally:
        logging.shutdown()
        # Not sys.exit: what the parent registered to run at its end is not the child's business.
        os._exit(code)


def _exit_code(error: SystemExit) -> int:
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    sys.stderr.write(f"{error.code}\n")
    sys.stderr.flush()
    return 1


class SignalPipe:
    """Turns the handled signals, and the end of the terminal, into what a loop can wait for."""

    def __enter__(self) -> SignalPipe:
        """Install the handlers; the old ones come back at the end."""
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._old_wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        # Under nohup a terminal's end means nothing.
        is_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        handled = [n for n in HANDLED_SIGNALS if not (is_nohup and n == signal.SIGHUP)]
        self._old = {number: signal.signal(number, _ignore) for number in handled}
        self._terminal = -1 if is_nohup else _open_terminal()
        self._poll = select.poll()
        self._poll.register(self._reader, select.POLLIN)
        if self._terminal >= 0:
            # Without asking for events, only its end is reported.
            self._poll.register(self._terminal, 0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put back what was before."""
        for number, handler in self._old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_wakeup)
        for descriptor in self.descriptors:
            os.close(descriptor)

    @property
    def descriptors(self) -> list[int]:
        """What children must close."""
        return [one for one in (self._reader, self._writer, self._terminal) if one >= 0]

    def wait(self, timeout_seconds: float) -> set[int]:
        """The signals that arrived, after the first one or the timeout."""
        happened = dict(self._poll.poll(max(0.0, timeout_seconds) * 1000))
        found: set[int] = set()
        if self._reader in happened:
            found.update(os.read(self._reader, 4096))
        if self._terminal in happened:
            # The kernel tells the session's leader only, which may be a make that waits for us.
            self._poll.unregister(self._terminal)
            if happened[self._terminal] & select.POLLHUP:
                found.add(signal.SIGHUP)
        return found


def _open_terminal() -> int:
    """The terminal that this process runs in the foreground of, or -1."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return -1
    try:
        if os.tcgetpgrp(terminal) == os.getpgrp():
            return terminal
    except OSError:
        pass
    os.close(terminal)
    return -1


def _ignore(*_args: object) -> None:
    """The byte in the pipe says everything."""

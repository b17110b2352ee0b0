"""The engine on the command line: a progress bar for people, one JSON line for programs.

Used by `manage.py fetch` and, without Django, by `python -m downloads.engine`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from types import FrameType
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

from downloads.engine.arguments import add_arguments
from downloads.engine.errors import EngineError
from downloads.engine.fetch import fetch
from downloads.engine.library import publish
from downloads.engine.storage import WorkFolder
from downloads.engine.types import Command, FetchedFile, FetchRequest, Limits, Progress
from providers.safe_url import EgressPolicy
from providers.streams import Stream, StreamKind

_WORK_FOLDER = ".incomplete"
_KINDS = {".m3u8": StreamKind.HLS, ".mpd": StreamKind.DASH}
# Names that say nothing; the folder before them says more.
_EMPTY_NAMES = frozenset({"index", "master", "playlist", "manifest", "video", "stream", "hls", ""})
_MAX_STEM_BYTES = 200
_BAR_CELLS = 24
_EXIT_INTERRUPTED = 130


def run(arguments: argparse.Namespace, *, egress: EgressPolicy, umask: int) -> int:
    """Fetch as the arguments say; returns the exit status, 0 only for a verified file in place."""
    control = _Console(
        Limits(max_connections=arguments.connections, rate_limit_bps=arguments.limit_rate),
        is_quiet=arguments.json or not sys.stderr.isatty(),
    )
    folder: Path = arguments.dir
    # The whole of it: some sites tell one file from another by the query alone.
    mark = f"{zlib.crc32(arguments.url.encode()):08x}"
    work_dir = folder / _WORK_FOLDER / mark
    fetched: FetchedFile | None = None
    path, error = None, None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _interruptible(control):
            fetched = fetch(_request(arguments, work_dir, egress), control)
        relative = PurePosixPath(f"{_stem(arguments.url)}.{fetched.extension}")
        path = publish(fetched.path, folder, relative, umask=umask)
        _tidy_up(work_dir)
    except Exception as failure:  # noqa: BLE001 - who reads the last line gets one, whatever it was
        error = _told(failure)
    if error is not None:
        _drop_if_empty(work_dir)
    control.finish()
    if arguments.json:
        sys.stdout.write(json.dumps(_report(fetched, path, error, control)) + "\n")
    elif error is not None:
        sys.stderr.write(f"{error}\n")
    elif fetched is not None:
        sys.stdout.write(f"{path}\n")
    if control.was_interrupted:
        return _EXIT_INTERRUPTED
    return 0 if error is None else 1


def _told(failure: Exception) -> EngineError:
    if isinstance(failure, EngineError):
        return failure
    if isinstance(failure, OSError):
        return EngineError(f"The folder cannot be used: {failure.strerror}.")
    return EngineError(f"Something unforeseen went wrong: {failure!r}.")


def _request(arguments: argparse.Namespace, work_dir: Path, egress: EgressPolicy) -> FetchRequest:
    suffix = PurePosixPath(urlsplit(arguments.url).path).suffix.lower()
    headers = {"Referer": arguments.referer} if arguments.referer else {}
    return FetchRequest(
        stream=Stream(arguments.url, _KINDS.get(suffix, StreamKind.HTTP), headers),
        work_dir=work_dir,
        egress=egress,
        max_height=arguments.quality,
        want_sha256=arguments.json,
        ca_file=os.environ.get("SSL_CERT_FILE", ""),
    )


class _Console:
    """The engine's owner: a person who looks at a bar and may press Ctrl-C."""

    def __init__(self, limits: Limits, *, is_quiet: bool) -> None:
        self._limits = limits
        self._is_quiet = is_quiet
        self.was_interrupted = False
        self.started_at = time.monotonic()
        self.last: Progress | None = None
        self._width = 0

    def poll(self) -> Command:
        return Command.PAUSE if self.was_interrupted else Command.GO_ON

    def limits(self) -> Limits:
        return self._limits

    def progress(self, progress: Progress) -> None:
        self.last = progress
        if self._is_quiet:
            return
        line = _bar(progress)
        sys.stderr.write("\r" + line.ljust(self._width))
        sys.stderr.flush()
        self._width = len(line)

    def finish(self) -> None:
        if not self._is_quiet and self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")


@contextmanager
def _interruptible(control: _Console) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        control.was_interrupted = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _bar(progress: Progress) -> str:
    done = _size(progress.bytes_done)
    speed = f"{_size(progress.speed_bps)}/s"
    if progress.stage not in {"downloading", "connecting"}:
        return f"{progress.stage} ..."
    if not progress.bytes_total:
        return f"{done}  {speed}"
    share = min(progress.bytes_done / progress.bytes_total, 1.0)
    cells = "#" * int(share * _BAR_CELLS)
    left = ""
    if progress.eta_seconds is not None:
        minutes, seconds = divmod(int(progress.eta_seconds), 60)
        left = f"  {minutes}:{seconds:02d} left"
    total = _size(progress.bytes_total)
    return f"{share:4.0%} [{cells:<{_BAR_CELLS}}] {done} of {total}  {speed}{left}"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:  # noqa: PLR2004 - the step from one unit to the next
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.2f} GB"


def _report(
    fetched: FetchedFile | None, path: Path | None, error: EngineError | None, control: _Console
) -> dict[str, Any]:
    last = control.last
    report: dict[str, Any] = {
        "path": str(path) if path is not None else None,
        "bytes": last.bytes_done if last is not None else 0,
        "seconds": round(time.monotonic() - control.started_at, 3),
        "resumed_from": last.resumed_from if last is not None else 0,
        "connections": last.connections if last is not None else 0,
        "kind": None,
        "height": None,
        "duration_s": None,
        "sha256": None,
        "error": {"code": error.code, "message": str(error)} if error is not None else None,
    }
    if fetched is not None:
        report |= {
            "bytes": fetched.size_bytes,
            "resumed_from": fetched.resumed_from,
            "connections": fetched.connections,
            "kind": fetched.kind,
            "height": fetched.height,
            "duration_s": round(fetched.duration_seconds, 3),
            "sha256": fetched.sha256,
        }
    return report


def _stem(url: str) -> str:
    """A file name without suffix, made from an address that strangers have written."""
    for part in reversed(urlsplit(url).path.split("/")):
        name = re.sub(r"[^\w .()\[\]+,&'!-]+", "_", unquote(part, errors="replace"))
        encoded = name.rsplit(".", 1)[0].strip(" ._").encode()
        stem = encoded[:_MAX_STEM_BYTES].decode(errors="ignore").strip()
        if stem.lower() not in _EMPTY_NAMES:
            return stem
    return "video"


def _tidy_up(work_dir: Path) -> None:
    shutil.rmtree(work_dir, ignore_errors=True)
    if not any(work_dir.parent.iterdir()):
        work_dir.parent.rmdir()


def _drop_if_empty(work_dir: Path) -> None:
    """Leave nothing behind of a fetch that has brought nothing."""
    with suppress(EngineError, OSError), WorkFolder(work_dir):
        if not any(path.stat().st_size for path in work_dir.iterdir()):
            _tidy_up(work_dir)


def leave(status: int) -> NoReturn:
    """End the process at once: to take it apart in order costs longer than a small file does."""
    for output in (sys.stdout, sys.stderr):
        # Whoever reads it may have gone.
        with suppress(OSError):
            output.flush()
    os._exit(status)


def main(words: Sequence[str] | None = None, *, allowed: Sequence[str] = ()) -> int:
    """The command without Django; `allowed` are private hosts that may be reached."""
    parser = argparse.ArgumentParser(prog="python -m downloads.engine", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args(words), egress=EgressPolicy.parse(list(allowed)), umask=0o022)

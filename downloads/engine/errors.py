"""How a transfer can end badly. Each error carries its own policy; plain Python."""

from __future__ import annotations

from typing import ClassVar


class EngineError(Exception):
    """Base of the engine's errors; `str(error)` is one plain English sentence for people.

    `retryable`: the same source may work later. `tries_next_source`: another source may work now.
    `blocks`: the machine, not the source, is at fault; waiting burns no attempt.
    """

    code: ClassVar[str] = "engine_error"
    retryable: ClassVar[bool] = True
    tries_next_source: ClassVar[bool] = True
    blocks: ClassVar[bool] = False

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Interrupted(EngineError):
    """Stopped because `Control.poll` said so; what is on disk stays for the next run."""

    code = "interrupted"
    tries_next_source = False


class ConnectionFailed(EngineError):
    """No connection, a reset, a cut or a stall, again after all retries."""

    code = "connection_failed"


class ServerRefused(EngineError):
    """An HTTP error status that stayed: 4xx or 5xx."""

    code = "server_refused"


class TooManyRequests(EngineError):
    """429 or 503 with Retry-After."""

    code = "too_many_requests"


class AddressRefused(EngineError):
    """A private address or another scheme than http(s), in the URL, a redirect or a playlist."""

    code = "egress_refused"
    retryable = False


class NotAVideo(EngineError):
    """The bytes are no playable video: HTML, an image, a cut or empty file."""

    code = "not_a_video"
    retryable = False


class WrongLength(EngineError):
    """Fewer or more bytes than announced, or another duration than expected."""

    code = "wrong_length"


class PlaylistRefused(EngineError):
    """A playlist that is broken, nested to itself, endless or too large."""

    code = "bad_playlist"
    retryable = False


class LiveStream(EngineError):
    """A live playlist: it has no end, so there is no file to fetch."""

    code = "live_stream"
    retryable = False


class ProtectedStream(EngineError):
    """DRM or SAMPLE-AES: reported and left alone."""

    code = "protected"
    retryable = False


class DiskFull(EngineError):
    """Not enough free space; nothing is lost, it goes on when there is.

    `needed_bytes`: what has to fit besides what is to stay free; 0 where that is not known.
    """

    code = "disk_low"
    tries_next_source = False
    blocks = True

    def __init__(self, message: str, *, needed_bytes: int = 0) -> None:
        super().__init__(message)
        self.needed_bytes = needed_bytes


class FolderUnwritable(EngineError):
    """The folder is missing, read-only or over quota."""

    code = "folder_unwritable"
    tries_next_source = False
    blocks = True


class NameTaken(EngineError):
    """A different file already has this name in the library; it is not touched."""

    code = "name_taken"
    retryable = False
    tries_next_source = False


class FolderBusy(EngineError):
    """Another process is at work in the same folder."""

    code = "folder_busy"
    tries_next_source = False
    blocks = True

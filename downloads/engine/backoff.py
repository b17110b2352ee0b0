"""How often a failed request is sent again, and after which wait; pure decisions."""

from __future__ import annotations

from http import HTTPStatus

from downloads.engine.calls import Answer
from downloads.engine.errors import (
    ConnectionFailed,
    EngineError,
    ServerRefused,
    TooManyRequests,
)
from downloads.engine.types import Limits

# Less than this between two failures is no progress: a cut after each few bytes must end, too.
PROGRESS_BYTES = 65_536
_MAX_WAIT_SECONDS = 10.0
_EXPIRED = frozenset({401, 403, 404, 410})
_BUSY = frozenset({429, 503})
_MAX_REFRESHES = 3


class StatusRefused(EngineError):
    """The server answered with an error status."""

    def __init__(self, answer: Answer) -> None:
        after = _wished_seconds(answer.headers.get("retry-after", ""))
        super().__init__(f"The server answered {answer.status}.", retry_after_seconds=after)
        self.status = answer.status

    @property
    def is_busy(self) -> bool:
        """Whether the server asks for fewer requests."""
        return self.status in _BUSY

    def final(self) -> EngineError:
        """The public error, when no retry is left."""
        if self.is_busy:
            return TooManyRequests(
                f"The server is busy ({self.status}).", retry_after_seconds=self.retry_after_seconds
            )
        return ServerRefused(str(self))


def _wished_seconds(text: str) -> float | None:
    if not text:
        return None
    from providers.answers import retry_after_seconds  # noqa: PLC0415 - few servers send a wish

    return retry_after_seconds(text)


class FailureCount:
    """Counts failures in a row of one transfer."""

    def __init__(self) -> None:
        self.failures = 0
        self.refreshes = 0
        self._bytes_at_failure = 0

    def wait_seconds(self, error: EngineError, *, bytes_done: int, limits: Limits) -> float:
        """How long to wait before the next try.

        Raises the error itself, in its public form, when there should be no other.
        """
        self._note_progress(bytes_done)
        self.failures += 1
        wait = min(limits.retry_wait_seconds * 2.0 ** (self.failures - 1), _MAX_WAIT_SECONDS)
        if error.retry_after_seconds is not None:
            wait = max(wait, error.retry_after_seconds)
        if not may_pass(error) or self.failures > limits.max_retries or wait > _MAX_WAIT_SECONDS:
            if isinstance(error, StatusRefused):
                raise error.final() from error
            raise error
        return wait

    def may_refresh(self, error: EngineError, *, bytes_done: int) -> bool:
        """Whether to resolve the address again because of this error."""
        if not may_be_expired(error):
            return False
        self._note_progress(bytes_done)
        self.refreshes += 1
        return self.refreshes <= _MAX_REFRESHES

    def _note_progress(self, bytes_done: int) -> None:
        if bytes_done - self._bytes_at_failure >= PROGRESS_BYTES:
            self.failures = self.refreshes = 0
        self._bytes_at_failure = bytes_done


def may_be_expired(error: BaseException | None) -> bool:
    """Whether a freshly resolved address may help."""
    return isinstance(error, StatusRefused) and error.status in _EXPIRED


def may_pass(error: EngineError) -> bool:
    """Whether the same request may succeed a little later."""
    if isinstance(error, ConnectionFailed):
        return True
    return isinstance(error, StatusRefused) and (
        error.is_busy or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    )

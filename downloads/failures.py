"""Turns the errors of sites, hosts and the engine into failures that `policies` can judge."""

from __future__ import annotations

from downloads.engine.errors import DiskFull, EngineError
from downloads.policies import Failure
from providers.errors import ProviderError


class AllSourcesFailed(EngineError):
    """All sources failed; carries the combined failure."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text, retry_after_seconds=failure.retry_after_seconds)
        self.failure = failure


def of_engine(error: EngineError) -> Failure:
    """The engine's errors carry their own policy."""
    if isinstance(error, AllSourcesFailed):
        return error.failure
    return Failure(
        error.code,
        str(error),
        retryable=error.retryable,
        blocks=error.blocks,
        retry_after_seconds=error.retry_after_seconds,
        needed_bytes=error.needed_bytes if isinstance(error, DiskFull) else 0,
    )


def of_surprise(error: Exception) -> Failure:
    """What nobody foresaw, such as a form of answer that makes a reader stumble: a lost try."""
    return Failure(
        EngineError.code,
        f"Something unforeseen went wrong ({type(error).__name__}); the log says more.",
    )


def of_provider(error: ProviderError, *, of_host: bool = False) -> Failure:
    """A site that is down or off blocks the download; a video host that fails is one lost try."""
    waits = error.counts_against_health or error.code in {"backing_off", "provider_disabled"}
    return Failure(
        error.code,
        str(error),
        retryable=error.retryable,
        blocks=waits and not of_host,
        retry_after_seconds=error.retry_after_seconds,
    )

"""Tries the sources of one download, best first, until one of them gives a whole and good file."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from downloads import failures, upkeep
from downloads.claims import Claim, renew_lease
from downloads.control import RunControl
from downloads.engine.errand import Errand
from downloads.engine.errors import (
    ConnectionFailed,
    EngineError,
    Interrupted,
    TooManyRequests,
    WrongLength,
)
from downloads.engine.fetch import fetch
from downloads.engine.types import Command, FetchedFile, FetchRequest
from downloads.errands import closing_connections
from downloads.models import Download, DownloadAttempt
from downloads.policies import Failure, combine
from downloads.samples import refuse_sample
from providers import gateway
from providers.errors import ProviderError
from providers.streams import Stream, VideoSource
from providers.text import safe_name

logger = logging.getLogger(__name__)

_HEIGHTS: Final = {"1080p": 1080, "720p": 720, "480p": 480}
_LOOK_SECONDS: Final = 0.1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Offer:
    """One of the streams of a source."""

    source: VideoSource
    work_dir: Path
    number: int = 0  # of its streams, best first
    streams: tuple[Stream, ...] = ()  # empty until the source was opened

    @property
    def stream(self) -> Stream:
        return self.streams[self.number]


class SourceTrials:
    """The sources of one claimed download, and how each of them failed so far."""

    def __init__(self, claim: Claim, download: Download) -> None:
        self.claim = claim
        self.download = download
        self.control = RunControl(claim)
        self._offers: list[_Offer] = []  # grows while it is gone through
        self._failures: list[Failure] = []
        self._max_height = _HEIGHTS.get(download.quality)

    def resolve(self) -> list[VideoSource]:
        """The sources that the site has now, best first. Raises ProviderError, Interrupted."""
        return self._attended(self._resolve)

    def fetch_first_good(self, sources: list[VideoSource]) -> FetchedFile:
        """A whole and verified file of the first source that gives one.

        Some have a second stream, often in lower quality: those come after all sources' best ones.
        Raises Interrupted, AllSourcesFailed, and other errors of the engine that no other source
        would mend.
        """
        folder = upkeep.work_folder(self.claim.download_id)
        used: dict[str, int] = {}
        for source in _as_wanted(sources, self._max_height):
            name = f"{source.label}-{source.lang}-{source.height or ''}"
            used[name] = used.get(name, 0) + 1
            work_dir = folder / safe_name(f"{name}-{used[name]}", fallback="source")
            self._offers.append(_Offer(source, work_dir))
        for offer in self._offers:
            fetched = self._try_offer(offer)
            if fetched is not None:
                return fetched
        raise failures.AllSourcesFailed(combine(self._failures))

    def _try_offer(self, offer: _Offer) -> FetchedFile | None:
        """Try one stream; a failure is recorded, and another is tried if that may help."""
        source = offer.source
        attempt = DownloadAttempt.objects.create(
            download=self.download,
            fence=self.claim.fence,
            source_label=source.label[:120],
            source_host=(urlsplit(source.url).hostname or "")[:255],
        )
        self.control.latest = None
        if not renew_lease(self.claim, source_label=source.label[:120], stage="resolving"):
            raise Interrupted("Stopped while the source was being chosen.")
        try:
            offer = self._opened(offer)
            fetched = self._fetch(offer)
        except Interrupted:
            self._close(attempt, Failure("interrupted", "Stopped on request."))
            raise
        except ProviderError as error:
            self._reject(attempt, offer, failures.of_provider(error, of_host=True))
            return None
        except EngineError as error:
            self._reject(attempt, offer, failures.of_engine(error))
            if not error.tries_next_source:
                raise
            self._offers += _second_of(offer, error)
            return None
        except (OperationalError, InterfaceError, OSError):
            raise
        except Exception as error:
            logger.exception("A source of %s has a form that nobody foresaw", self.download.pk)
            self._reject(attempt, offer, failures.of_surprise(error))
            self._offers += _second_of(offer, error)
            return None
        self._close(attempt, None, bytes_done=fetched.size_bytes)
        return fetched

    def _opened(self, offer: _Offer) -> _Offer:
        if offer.streams:
            return offer
        return replace(offer, streams=self._attended(lambda: self._open(offer.source)))

    def _fetch(self, offer: _Offer) -> FetchedFile:
        request = FetchRequest(
            stream=offer.stream,
            work_dir=offer.work_dir,
            egress=settings.EGRESS_POLICY,
            max_height=self._max_height,
            expected_duration_seconds=offer.stream.duration_seconds,
            refresh=closing_connections(lambda: self._refreshed(offer)),
            host_connections=self.control.host_connections,
        )
        fetched = fetch(request, self.control)
        try:
            refuse_sample(self.download, fetched.duration_seconds)
        except WrongLength:
            # What is there would be found whole again, and never be asked for.
            shutil.rmtree(offer.work_dir, ignore_errors=True)
            raise
        return fetched

    def _refreshed(self, offer: _Offer) -> Stream:
        """The same stream again, when its signed address has expired."""
        source = offer.source
        now = self._resolve()
        same = [other for other in now if _is_like(other, source)] or [source]
        chosen = next((other for other in same if other.url == source.url), same[0])
        streams = self._open(chosen)
        return streams[min(offer.number, len(streams) - 1)]

    def _resolve(self) -> list[VideoSource]:
        row = self.download
        return gateway.resolve(row.provider_id, row.series_ref, row.episode_ref, row.lang)

    def _open(self, source: VideoSource) -> tuple[Stream, ...]:
        return tuple(gateway.open_source(source, self._max_height))

    def _attended(self, work: Callable[[], T]) -> T:
        """Let a site take its time beside this thread, which keeps the claim. Raises Interrupted.

        A site that is no longer waited for has time limits of its own.
        """
        errand = Errand(closing_connections(work))
        while not errand.wait(_LOOK_SECONDS):
            if self.control.poll() is not Command.GO_ON:
                raise Interrupted("Stopped on request.")
        return errand.result()

    def _reject(self, attempt: DownloadAttempt, offer: _Offer, failure: Failure) -> None:
        self._close(attempt, failure)
        self._failures.append(replace(failure, text=f"{offer.source.label}: {failure.text}"))
        if not failure.retryable:
            shutil.rmtree(offer.work_dir, ignore_errors=True)

    def _close(
        self, attempt: DownloadAttempt, failure: Failure | None, bytes_done: int | None = None
    ) -> None:
        attempt.finished_at = timezone.now()
        latest = self.control.latest
        attempt.bytes_done = bytes_done or (latest.bytes_done if latest else 0)
        if failure is not None:
            attempt.error_code, attempt.error_text = failure.code, failure.text
        attempt.save()


def _as_wanted(sources: list[VideoSource], most: int | None) -> list[VideoSource]:
    """Those known to be higher than wanted come last, the lowest of them first."""
    if most is None:
        return sources
    return sorted(sources, key=lambda source: max(0, (source.height or 0) - most))


def _is_like(one: VideoSource, other: VideoSource) -> bool:
    """Whether they are the same offer, though its address may be signed anew."""
    return (one.label, one.lang, one.height) == (other.label, other.lang, other.height)


def _second_of(offer: _Offer, error: Exception) -> list[_Offer]:
    """What to try once the other sources have failed, too, unless the host itself is in trouble."""
    has_second = not offer.number and offer.streams[1:]
    if not has_second or isinstance(error, ConnectionFailed | TooManyRequests):
        return []
    work_dir = offer.work_dir.with_name(f"{offer.work_dir.name}-2nd")
    return [replace(offer, number=1, work_dir=work_dir)]

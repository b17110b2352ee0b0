"""Cuts tracks of a manifest that are one file into pieces, which can be resumed and shared out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from downloads.engine.backoff import may_be_expired
from downloads.engine.errors import PlaylistRefused, ServerRefused, WrongLength
from downloads.engine.hls import SegmentPlan
from downloads.engine.playlist import MAX_SEGMENTS, Segment
from downloads.engine.small import SmallFetcher

PIECE_BYTES = 8_000_000
_FIRST_BYTE = (0, 1)


def cut_files(fetcher: SmallFetcher, plan: SegmentPlan) -> SegmentPlan:
    """The same plan; its whole files are ranges where the server tells their sizes.

    Raises EngineError when a server cannot be asked.
    """
    files = {one.url for track in plan.tracks for one in track.playlist.segments if _is_file(one)}
    sizes = _sizes_of(fetcher, files)
    if not any(sizes.values()):
        return plan
    if sum(sizes.values()) > MAX_SEGMENTS * PIECE_BYTES:
        raise PlaylistRefused("The files of the manifest are too large.")
    for track in plan.tracks:
        track.playlist.segments = [
            piece
            for segment in track.playlist.segments
            for piece in _pieces(segment, sizes.get(segment.url, 0))
        ]
    return replace(plan, order=[])


def _is_file(segment: Segment) -> bool:
    return segment.file_bytes is not None


def _sizes_of(fetcher: SmallFetcher, urls: set[str]) -> dict[str, int]:
    """Sizes in bytes; 0 where the server does not tell it or knows no ranges."""
    try:
        found = fetcher.fetch_all([(url, _FIRST_BYTE) for url in sorted(urls)], max_bytes=1)
    except (ServerRefused, WrongLength) as error:
        # Expired addresses are renewed when their bytes are wanted.
        if isinstance(error, ServerRefused) and not may_be_expired(error.__cause__):
            raise
        return {}
    return {url: file.whole_bytes or 0 for (url, _), file in found.items()}


def _pieces(segment: Segment, size: int) -> Iterator[Segment]:
    if not _is_file(segment) or not size:
        yield segment
        return
    for start in range(0, size, PIECE_BYTES):
        end = min(start + PIECE_BYTES, size)
        seconds = segment.seconds * (end - start) / size
        yield replace(segment, seconds=seconds, byte_range=(start, end), file_bytes=size)

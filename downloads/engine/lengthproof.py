"""Finds out whether a segment ended where its answer did, when the server told no length.

Such an answer ends with the connection, and one that was cut looks the same.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from downloads.engine.backoff import StatusRefused
from downloads.engine.calls import Answer, Call
from downloads.engine.errors import ConnectionFailed

if TYPE_CHECKING:
    from downloads.engine.segmentlane import SegmentLane


def tells_its_end(answer: Answer) -> bool:
    """Whether libcurl notices when this answer is cut."""
    headers = answer.headers
    return "content-length" in headers or "chunked" in headers.get("transfer-encoding", "").lower()


class LengthProof:
    """The sink of a second call: it asks for the last byte of a segment and the one behind it.

    A server without ranges sends everything again; then both answers must be of one length.
    """

    def __init__(self, lane: SegmentLane, received: int) -> None:
        self._lane = lane
        self._received = received  # bytes that the first answer brought
        self._counted = 0

    def on_answer(self, call: Call) -> None:
        """Compare the range that is told. Raises EngineError unless the segment is whole."""
        answer = call.answer
        if answer is None or answer.status == HTTPStatus.OK:
            return
        if answer.status == HTTPStatus.PARTIAL_CONTENT:
            self._counted = self._received - 1
            told = answer.content_range
            if told is not None and told[:2] == (self._counted, self._received):
                return
        elif answer.status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise StatusRefused(answer)
        raise ConnectionFailed("A segment is cut.")

    def on_bytes(self, content: memoryview) -> bool:
        """Count; false when there are more than the segment has."""
        self._counted += len(content)
        return self._counted <= self._received

    def on_end(self, call: Call) -> None:
        """Tell the owner how the segment has ended."""
        if call.error is None and self._counted != self._received:
            call.error = ConnectionFailed("A segment is cut.")
        self._lane.owner.lane_ended(self._lane, call)

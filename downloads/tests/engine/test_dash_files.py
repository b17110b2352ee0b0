"""Manifests whose tracks are files as a whole: they are fetched in pieces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from downloads.engine import dashfiles
from downloads.engine.errors import ServerRefused
from downloads.engine.types import FetchedFile
from downloads.tests.engine.clips import make_hls
from downloads.tests.engine.conftest import CLIP_SECONDS, FAST, Fetch, Owner
from downloads.tests.engine.origin import Answer, Origin, Script
from downloads.tests.engine.test_dash import HEAD
from downloads.tests.engine.test_hls import HLS, packet_counts, serve_folder
from providers.streams import StreamKind

PIECE = 300_000
DASH = StreamKind.DASH


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashfiles, "PIECE_BYTES", PIECE)


def manifest(origin: Origin, answer: Answer | Script) -> str:
    origin.serve("/v.mp4", answer)
    text = HEAD + (
        f'mediaPresentationDuration="PT{CLIP_SECONDS}S"><Period><AdaptationSet '
        'mimeType="video/mp4"><Representation id="1" height="180"><BaseURL>v.mp4</BaseURL>'
        "<SegmentBase/></Representation></AdaptationSet></Period></MPD>"
    )
    return origin.serve("/x.mpd", text.encode())


def is_whole(fetched: FetchedFile) -> bool:
    return packet_counts(fetched.path)["video"] == CLIP_SECONDS * 10


def test_a_file_is_fetched_in_pieces_over_several_connections(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    url = manifest(origin, Answer(clip, bytes_per_second=1_000_000))
    fetched = run(url, kind=DASH, owner=Owner(replace(FAST, max_connections=4)))

    assert is_whole(fetched)
    assert fetched.connections == 4
    assert origin.sent_bytes("/v.mp4") <= len(clip) + PIECE + 1


def test_pieces_that_are_there_are_not_fetched_again(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    def broken(_number: int, headers: dict[str, str]) -> Answer:
        is_far = int(headers["range"][6:].partition("-")[0]) >= 4 * PIECE
        return Answer(status=500) if is_far else Answer(clip)

    with pytest.raises(ServerRefused):
        run(manifest(origin, broken), kind=DASH)
    before = origin.sent_bytes("/v.mp4")
    fetched = run(manifest(origin, Answer(clip)), kind=DASH)

    assert is_whole(fetched)
    assert fetched.resumed_from == 4 * PIECE
    # The newest piece is compared, and the beginning of an old one.
    assert origin.sent_bytes("/v.mp4") - before <= len(clip) - 2 * PIECE + 1


def test_a_server_that_cuts_each_answer_is_asked_for_the_rest(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    fetched = run(manifest(origin, Answer(clip, cut_after=100_000)), kind=DASH)

    assert is_whole(fetched)
    assert origin.sent_bytes("/v.mp4") <= len(clip) + PIECE + 1


def test_of_a_server_without_ranges_the_file_is_taken_as_a_whole(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    assert is_whole(run(manifest(origin, Answer(clip, ranges=False)), kind=DASH))


def test_a_piece_may_begin_with_anything(
    origin: Origin, run: Fetch, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashfiles, "PIECE_BYTES", clip.index(b"{", PIECE))

    assert is_whole(run(manifest(origin, Answer(clip)), kind=DASH))


def test_a_file_that_changes_in_between_is_never_mixed(
    origin: Origin, run: Fetch, clip: bytes, other_clip: bytes
) -> None:
    url = manifest(origin, lambda number, _: Answer(clip if number < 4 else other_clip))
    fetched = run(url, kind=DASH)
    content = fetched.path.read_bytes()
    fetched.path.unlink()
    clean = run(url, kind=DASH)

    assert fetched.restarted
    assert not clean.restarted
    assert content == clean.path.read_bytes()


def test_the_ranges_of_a_playlist_go_on_where_they_were_cut(
    origin: Origin, run: Fetch, clips: Path
) -> None:
    folder = clips / "cut ranges"
    if not folder.exists():
        make_hls(folder, seconds=CLIP_SECONDS, hls_flags="single_file", hls_time="4")
    url = serve_folder(origin, folder, "/v")
    file = next(folder.glob("*.ts"))
    content = file.read_bytes()
    origin.serve(f"/v/{file.name}", Answer(content, cut_after=100_000))
    fetched = run(url, kind=HLS)

    assert is_whole(fetched)
    assert origin.sent_bytes(f"/v/{file.name}") < len(content) * 1.5

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Event

import av
import pytest

from downloads.engine import mp4index
from downloads.engine.errors import PlaylistRefused, ServerRefused, WrongLength
from downloads.engine.mux import Muxer
from downloads.engine.sniff import Container
from downloads.engine.tracks import Group, TrackInput
from downloads.engine.types import Progress, Stage
from downloads.tests.engine.clips import make_clip, make_hls
from downloads.tests.engine.conftest import CLIP_SECONDS, FAST, Fetch, Owner
from downloads.tests.engine.origin import Answer, Origin
from downloads.tests.engine.test_dash import HEAD
from downloads.tests.engine.test_hls import packet_counts, serve_folder
from providers.errors import Blocked, ProviderError
from providers.streams import Stream, StreamKind


@pytest.fixture(scope="session")
def other_stream(clips: Path) -> Path:
    """A playlist like that of `ts_stream`, with other content under the same names."""
    folder = clips / "changed"
    make_hls(folder, seconds=CLIP_SECONDS, clip={"seed": 9})
    return folder


def streams(origin: Origin) -> dict[StreamKind, Stream]:
    """One stream of each kind whose address has expired."""
    gone = Answer(b"gone", status=403)
    segments = b"#EXTM3U\n#EXTINF:2,\ngone.ts\n#EXT-X-ENDLIST\n"
    manifest = HEAD + (
        'mediaPresentationDuration="PT6S"><Period><AdaptationSet mimeType="video/mp4">'
        '<Representation id="1"><BaseURL>gone.mp4</BaseURL></Representation></AdaptationSet>'
        "</Period></MPD>"
    )
    file = origin.serve("/gone.mp4", gone)
    return {
        StreamKind.HTTP: Stream(file, StreamKind.HTTP),
        StreamKind.HLS: Stream(origin.serve("/a.m3u8", segments), StreamKind.HLS),
        StreamKind.DASH: Stream(origin.serve("/a.mpd", manifest.encode()), StreamKind.DASH),
        StreamKind.SPLIT: Stream(file, StreamKind.SPLIT, audio_url=file),
    }


@pytest.mark.parametrize("kind", [k for k in StreamKind if k is not StreamKind.PAGE])
@pytest.mark.parametrize("failure", [Blocked("No entry."), ValueError("a bug of an adapter")])
def test_an_address_that_cannot_be_renewed_is_an_error_of_the_engine(
    origin: Origin, run: Fetch, kind: StreamKind, failure: Exception
) -> None:
    def refresh() -> Stream:
        raise failure

    with pytest.raises(ServerRefused, match="could not be renewed") as caught:
        run("", stream=streams(origin)[kind], refresh=refresh)
    assert isinstance(caught.value.__cause__, ProviderError | ValueError)


def test_a_stream_that_changes_while_it_is_fetched_is_never_mixed(
    origin: Origin, run: Fetch, ts_stream: Path, other_stream: Path
) -> None:
    url = serve_folder(origin, ts_stream, "/v")

    def last_segment(_number: int, _headers: dict[str, str]) -> Answer:
        serve_folder(origin, other_stream, "/v")
        return Answer((other_stream / "s005.ts").read_bytes(), etag="")

    origin.serve("/v/s005.ts", last_segment)
    mixed = run(url, kind=StreamKind.HLS)
    content = mixed.path.read_bytes()
    mixed.path.unlink()
    clean = run(url, kind=StreamKind.HLS, stream=Stream(url + "?again", StreamKind.HLS))

    assert mixed.restarted
    assert not clean.restarted
    assert content == clean.path.read_bytes()


def test_a_stream_that_changes_all_the_time_is_given_up(
    origin: Origin, run: Fetch, ts_stream: Path, other_stream: Path
) -> None:
    url = serve_folder(origin, ts_stream, "/v")
    one, other = ((folder / "s000.ts").read_bytes() for folder in (ts_stream, other_stream))
    origin.serve("/v/s000.ts", lambda number, _headers: Answer(one if number % 2 else other))
    for name in ("s001.ts", "s002.ts", "s003.ts", "s004.ts", "s005.ts"):
        origin.serve(f"/v/{name}", (ts_stream / name).read_bytes()[: 188 * 100])
    with pytest.raises(WrongLength, match="changes all the time"):
        run(url, kind=StreamKind.HLS)


def test_a_cap_for_the_host_holds_for_segments(origin: Origin, run: Fetch, ts_stream: Path) -> None:
    url = serve_folder(origin, ts_stream, "/v")
    owner = Owner(replace(FAST, max_connections=4))
    fetched = run(url, kind=StreamKind.HLS, owner=owner, host_connections=lambda _host: 1)

    assert fetched.connections == 1


def manifest_with_subtitles(origin: Origin, clip: bytes, mime: str) -> str:
    origin.serve("/v.mp4", clip)
    origin.serve("/words.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.500\nBonjour\n")
    text = HEAD + (
        f'mediaPresentationDuration="PT{CLIP_SECONDS}S"><Period><AdaptationSet '
        'mimeType="video/mp4"><Representation id="1" height="180"><BaseURL>v.mp4</BaseURL>'
        f'</Representation></AdaptationSet><AdaptationSet mimeType="{mime}" lang="fre">'
        '<Representation id="2"><BaseURL>words.vtt</BaseURL></Representation>'
        "</AdaptationSet></Period></MPD>"
    )
    return origin.serve("/x.mpd", text.encode())


def test_subtitles_of_a_manifest_are_joined(origin: Origin, run: Fetch, clip: bytes) -> None:
    url = manifest_with_subtitles(origin, clip, "text/vtt")
    fetched = run(url, kind=StreamKind.DASH)

    with av.open(str(fetched.path)) as media:
        languages = [stream.metadata.get("language") for stream in media.streams.subtitles]
        texts = [bytes(packet)[2:] for packet in media.demux(subtitles=0) if packet.size > 2]
    assert languages == ["fre"]
    assert texts == [b"Bonjour"]


@pytest.mark.parametrize("mime", ["application/ttml+xml", "application/mp4"])
def test_subtitles_that_cannot_be_kept_are_a_reason(
    origin: Origin, run: Fetch, clip: bytes, mime: str
) -> None:
    with pytest.raises(PlaylistRefused, match="subtitles"):
        run(manifest_with_subtitles(origin, clip, mime), kind=StreamKind.DASH)


def join(source: Path, target: Path) -> Path:
    track = TrackInput("video", [Group(open=lambda: source, container=lambda: Container.MPEG_TS)])
    return Muxer([track], [], target=target, stop=Event()).run()


@pytest.fixture(scope="session")
def transport_stream(clips: Path) -> Path:
    return make_clip(clips / "long.ts", seconds=30, container="mpegts")


def test_a_joined_file_is_written_once_and_begins_with_its_index(
    transport_stream: Path, tmp_path: Path
) -> None:
    def written() -> int:
        lines = Path("/proc/thread-self/io").read_text().splitlines()
        return int(dict(line.split(": ") for line in lines)["wchar"])

    before = written()
    path = join(transport_stream, tmp_path / "out.mp4")
    grown = written() - before
    content = path.read_bytes()

    # A second pass over the file is what nothing can interrupt.
    assert grown < len(content) * 1.2
    assert content.index(b"moov") < content.index(b"mdat")


def test_an_index_that_turns_out_larger_than_its_room_gets_more(
    transport_stream: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = join(transport_stream, tmp_path / "usual.mp4")
    monkeypatch.setattr(mp4index, "_LEAST_INDEX_BYTES", 3000)
    monkeypatch.setattr(mp4index, "_VIDEO_FRAME_BYTES", 0)
    monkeypatch.setattr(mp4index, "_SOUND_FRAME_BYTES", 0)
    monkeypatch.setattr(mp4index, "_SWITCH_BYTES", 0)
    tight = join(transport_stream, tmp_path / "tight.mp4")

    assert packet_counts(tight) == packet_counts(usual)
    assert tight.read_bytes().index(b"moov") < tight.read_bytes().index(b"mdat")


_HUNDRED_THOUSAND = """
import sys
from pathlib import Path
from downloads.engine.errors import Interrupted
from downloads.engine.fetch import fetch
from downloads.engine.types import Command, FetchRequest, Limits
from providers.safe_url import EgressPolicy
from providers.streams import Stream, StreamKind

class Owner:
    command = Command.GO_ON
    resumed_from = 0
    def poll(self): return self.command
    def limits(self): return Limits(max_connections=4, rate_limit_bps=4_000_000)
    def progress(self, progress):
        self.resumed_from = progress.resumed_from
        if progress.bytes_done > progress.resumed_from + 1_000_000:
            self.command = Command.PAUSE

egress = EgressPolicy.parse(["127.0.0.0/8"])
for _ in range(2):
    owner = Owner()
    stream = Stream(sys.argv[1], StreamKind.HLS)
    try:
        fetch(FetchRequest(stream=stream, work_dir=Path(sys.argv[2]), egress=egress), owner)
    except Interrupted:
        pass
# What the kernel reports of a child's use counts the parent's memory, too; this does not.
peak = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
print(owner.resumed_from, peak)
"""


def test_a_hundred_thousand_segments_are_fetched_and_resumed_with_bounded_memory(
    origin: Origin, tmp_path: Path, ts_stream: Path
) -> None:
    piece = (ts_stream / "s000.ts").read_bytes()
    lines = [f"#EXTINF:1.0,\n/part.ts?number={number:06d}" for number in range(100_000)]
    # The joining waits for the first one, so that the same piece may stand for all others.
    lines[0] = "#EXTINF:1.0,\n/first.ts"
    origin.serve("/first.ts", Answer(piece, stall_after=1000))
    text = "#EXTM3U\n" + "\n".join(lines) + "\n#EXT-X-ENDLIST\n"
    url = origin.serve("/x.m3u8", Answer(text.encode(), etag=""))
    origin.serve("/part.ts", Answer(piece, etag=""))
    words = [sys.executable, "-c", _HUNDRED_THOUSAND, url, str(tmp_path / "work")]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    resumed_from, peak_kilobytes = map(int, done.stdout.split())

    assert resumed_from >= len(piece)
    assert peak_kilobytes < 260_000


class DiedError(Exception):
    """Stands for a process that ends in the middle of its work."""


def die_while_it_is_checked(progress: Progress) -> None:
    if progress.stage is Stage.CHECKING:
        raise DiedError


def joined_when_it_died(origin: Origin, run: Fetch, stream: Path) -> str:
    """The address of a stream that was fetched and joined, and not yet verified."""
    url = serve_folder(origin, stream, "/v")
    with pytest.raises(DiedError):
        run(url, kind=StreamKind.HLS, owner=Owner(on_progress=die_while_it_is_checked))
    return url


def test_a_joined_stream_is_neither_fetched_nor_joined_again(
    origin: Origin, run: Fetch, ts_stream: Path, work_dir: Path
) -> None:
    url = joined_when_it_died(origin, run, ts_stream)
    assert not list(work_dir.glob("lane-*"))
    origin.seen.clear()
    fetched = run(url, kind=StreamKind.HLS)

    assert [seen.path for seen in origin.seen] == ["/v/index.m3u8"]
    assert fetched.resumed_from == fetched.size_bytes == fetched.path.stat().st_size
    assert packet_counts(fetched.path)["video"] == CLIP_SECONDS * 10


def test_half_of_a_joined_stream_is_not_believed(
    origin: Origin, run: Fetch, ts_stream: Path, work_dir: Path
) -> None:
    url = joined_when_it_died(origin, run, ts_stream)
    joined = work_dir / "media.mp4"
    os.truncate(joined, joined.stat().st_size // 2)
    fetched = run(url, kind=StreamKind.HLS)

    assert fetched.resumed_from == 0
    assert packet_counts(fetched.path)["video"] == CLIP_SECONDS * 10

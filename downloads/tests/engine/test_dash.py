from __future__ import annotations

from pathlib import Path

import pytest

from downloads.engine.errors import (
    AddressRefused,
    LiveStream,
    NotAVideo,
    PlaylistRefused,
    ProtectedStream,
    ServerRefused,
)
from downloads.tests.engine.clips import make_clip
from downloads.tests.engine.conftest import Fetch
from downloads.tests.engine.origin import Answer, Origin, Script, failing_first
from downloads.tests.engine.test_hls import packet_counts
from providers.streams import Stream, StreamKind

SECONDS = 6
HEAD = '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" '


@pytest.fixture(scope="session")
def manifests(clips: Path) -> Path:
    """The same clip with a time line and with numbers only."""
    folder = clips / "dash"
    for name, timeline in (("lined", "1"), ("numbered", "0")):
        (folder / name).mkdir(parents=True)
        make_clip(
            folder / name / "index.mpd",
            seconds=SECONDS,
            container="dash",
            options={"seg_duration": "2", "use_timeline": timeline},
        )
    return folder


@pytest.fixture(scope="session")
def parts(clips: Path) -> tuple[bytes, bytes]:
    """Picture and sound in files of their own."""
    faststart = {"movflags": "faststart"}
    picture = make_clip(clips / "picture.mp4", seconds=SECONDS, options=faststart, has_sound=False)
    sound = make_clip(clips / "sound.mp4", seconds=SECONDS, options=faststart, has_picture=False)
    return picture.read_bytes(), sound.read_bytes()


def serve(origin: Origin, folder: Path) -> str:
    for path in folder.iterdir():
        origin.serve(f"/v/{path.name}", path.read_bytes())
    return origin.url("/v/index.mpd")


@pytest.mark.parametrize("name", ["lined", "numbered"])
@pytest.mark.parametrize("kind", [StreamKind.DASH, StreamKind.HTTP])
def test_a_manifest_becomes_one_mp4(
    origin: Origin, run: Fetch, manifests: Path, name: str, kind: StreamKind
) -> None:
    fetched = run(serve(origin, manifests / name), kind=kind)

    assert (fetched.kind, fetched.extension, fetched.height) == ("dash", "mp4", 180)
    assert fetched.duration_seconds == pytest.approx(SECONDS, abs=0.2)
    assert packet_counts(fetched.path)["video"] == SECONDS * 10
    assert packet_counts(fetched.path)["audio"] > 200


def longer_than_its_tracks(origin: Origin, folder: Path, seconds: float) -> str:
    url = serve(origin, folder)
    text = (folder / "index.mpd").read_text()
    assert text.count('"PT6.0S"') == 1
    origin.serve("/v/index.mpd", text.replace('"PT6.0S"', f'"PT{seconds}S"').encode())
    return url


def test_the_short_last_segment_of_a_manifest_need_not_be_there(
    origin: Origin, run: Fetch, manifests: Path
) -> None:
    fetched = run(longer_than_its_tracks(origin, manifests / "numbered", 6.3), kind=StreamKind.DASH)

    assert packet_counts(fetched.path)["video"] == SECONDS * 10
    assert fetched.duration_seconds == pytest.approx(SECONDS, abs=0.1)


def test_a_segment_that_is_not_there_stays_so_when_it_is_resumed(
    origin: Origin, run: Fetch, manifests: Path
) -> None:
    url = longer_than_its_tracks(origin, manifests / "numbered", 6.3)
    failing = "/v/chunk-stream1-00003.m4s"
    origin.serve(failing, Answer(status=500))
    with pytest.raises(ServerRefused):
        run(url, kind=StreamKind.DASH)
    origin.serve(failing, (manifests / "numbered" / failing[3:]).read_bytes())
    fetched = run(url, kind=StreamKind.DASH)

    assert not fetched.restarted
    assert fetched.resumed_from > 0
    assert packet_counts(fetched.path)["video"] == SECONDS * 10


@pytest.mark.parametrize("seconds", [7.5, 8.0])
def test_a_longer_segment_has_to_be_there(
    origin: Origin, run: Fetch, manifests: Path, seconds: float
) -> None:
    with pytest.raises(ServerRefused, match="404"):
        run(longer_than_its_tracks(origin, manifests / "numbered", seconds), kind=StreamKind.DASH)


def test_any_other_segment_of_a_manifest_has_to_be_there(
    origin: Origin, run: Fetch, manifests: Path
) -> None:
    url = serve(origin, manifests / "numbered")
    origin.serve("/v/chunk-stream0-00003.m4s", Answer(status=404))
    with pytest.raises(ServerRefused, match="404"):
        run(url, kind=StreamKind.DASH)


def test_whole_files_of_a_manifest_are_joined(
    origin: Origin, run: Fetch, parts: tuple[bytes, bytes]
) -> None:
    origin.serve("/v.mp4", parts[0])
    origin.serve("/a.mp4", parts[1])
    text = HEAD + (
        f'mediaPresentationDuration="PT{SECONDS}.0S"><Period><AdaptationSet mimeType="video/mp4">'
        '<Representation id="1" height="180"><BaseURL>v.mp4</BaseURL><SegmentBase/>'
        '</Representation></AdaptationSet><AdaptationSet mimeType="audio/mp4" lang="fra">'
        '<Representation id="2"><BaseURL>a.mp4</BaseURL></Representation>'
        "</AdaptationSet></Period></MPD>"
    )
    fetched = run(origin.serve("/x.mpd", text.encode()), kind=StreamKind.DASH)

    assert packet_counts(fetched.path)["video"] == SECONDS * 10


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (HEAD + 'type="dynamic"><Period/></MPD>', LiveStream),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><MPD><Period/></MPD>", PlaylistRefused),
        ("<MPD><Period", PlaylistRefused),
        ("<MPD></MPD>", PlaylistRefused),
        (
            (
                "<MPD><Period><AdaptationSet contentType='video'><ContentProtection/>"
                "<Representation id='1'/></AdaptationSet></Period></MPD>"
            ),
            ProtectedStream,
        ),
        (
            (
                "<MPD><Period><AdaptationSet contentType='video'><Representation id='1'><BaseURL>"
                "file:///etc/passwd</BaseURL></Representation></AdaptationSet></Period></MPD>"
            ),
            AddressRefused,
        ),
        (
            (
                "<MPD mediaPresentationDuration='PT9S'><Period><AdaptationSet contentType='video'>"
                "<SegmentTemplate media='$Number$' timescale='1'><SegmentTimeline>"
                "<S d='1' r='999999999'/></SegmentTimeline></SegmentTemplate>"
                "<Representation id='1'/></AdaptationSet></Period></MPD>"
            ),
            PlaylistRefused,
        ),
        (
            (
                "<MPD mediaPresentationDuration='PT9S'><Period><AdaptationSet contentType='video'>"
                "<Representation id='1'><SegmentList duration='9'><SegmentURL media='v.mp4'"
                " mediaRange='900-800'/></SegmentList></Representation></AdaptationSet></Period>"
                "</MPD>"
            ),
            PlaylistRefused,
        ),
    ],
    ids=["live", "entities", "broken", "empty", "protected", "local", "endless", "impossible"],
)
def test_what_cannot_or_may_not_be_fetched_is_refused(
    origin: Origin, run: Fetch, text: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(origin.serve("/x.mpd", text.encode()), kind=StreamKind.DASH)


def split(origin: Origin, picture: Answer | Script | bytes, sound: bytes) -> Stream:
    return Stream(
        origin.serve("/v.mp4", picture),
        StreamKind.SPLIT,
        audio_url=origin.serve("/a.mp4", sound),
        audio_headers={"Referer": "http://page/"},
    )


def test_picture_and_sound_are_joined(
    origin: Origin, run: Fetch, parts: tuple[bytes, bytes]
) -> None:
    fetched = run("", stream=split(origin, *parts))

    assert (fetched.kind, fetched.extension, fetched.height) == ("split", "mp4", 180)
    assert packet_counts(fetched.path)["video"] == SECONDS * 10
    assert packet_counts(fetched.path)["audio"] > 200
    assert origin.requests("/a.mp4")[0].headers["referer"] == "http://page/"


def test_a_split_stream_resumes_both_parts(
    origin: Origin, run: Fetch, parts: tuple[bytes, bytes]
) -> None:
    half = len(parts[0]) // 2
    with pytest.raises(ServerRefused):
        run(
            "",
            stream=split(
                origin,
                failing_first(1, Answer(parts[0], cut_after=half), Answer(status=404)),
                parts[1],
            ),
        )
    origin.seen.clear()
    fetched = run("", stream=split(origin, *parts))

    assert fetched.resumed_from == half + len(parts[1])
    assert not origin.requests("/a.mp4")


def test_a_page_instead_of_the_sound_is_refused(
    origin: Origin, run: Fetch, parts: tuple[bytes, bytes]
) -> None:
    with pytest.raises(NotAVideo):
        run("", stream=split(origin, parts[0], b"<html>gone</html>"))

"""What comes in parts is put where it belongs, whole and with its names, or not at all."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from downloads.engine.errors import NotAVideo
from downloads.engine.languages import three_letters
from downloads.tests.engine.clips import make_clip, make_hls
from downloads.tests.engine.conftest import Fetch
from downloads.tests.engine.origin import Origin
from downloads.tests.engine.test_dash import HEAD
from downloads.tests.engine.test_hls import playlist, serve_folder
from providers.streams import Stream, StreamKind

HLS = StreamKind.HLS
FMP4 = {"hls_segment_type": "fmp4", "hls_fmp4_init_filename": "init.mp4"}


def hls(clips: Path, name: str, *, seconds: int = 4, fmp4: bool = False, **clip: object) -> Path:
    """A folder with a stream of segments of two seconds."""
    folder = clips / name
    if not folder.exists():
        make_hls(folder, seconds=seconds, clip=clip, **(FMP4 if fmp4 else {}))
    return folder


def one_after_the_other(origin: Origin, folders: list[Path]) -> str:
    """A playlist of the parts with a discontinuity between each two."""
    lines: list[str] = []
    for number, folder in enumerate(folders):
        serve_folder(origin, folder, f"/{number}")
        lines += ["#EXT-X-DISCONTINUITY"] if number else []
        for line in (folder / "index.m3u8").read_text().splitlines():
            if line.startswith("#EXT-X-MAP"):
                lines.append(f'#EXT-X-MAP:URI="{number}/init.mp4"')
            elif line.startswith("#EXTINF"):
                lines.append(line)
            elif line and not line.startswith("#"):
                lines.append(f"{number}/{line}")
    return playlist(origin, "/parts.m3u8", *lines, "#EXT-X-ENDLIST")


def times_of(path: Path, kind: str, number: int = 0) -> list[float]:
    """Seconds at which the packets of a stream are shown."""
    with av.open(str(path)) as media:
        stream = getattr(media.streams, kind)[number]
        base = stream.time_base or Fraction(1)
        return sorted(float(p.pts * base) for p in media.demux(stream) if p.pts is not None)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"fmp4": True}, {"fmp4": True, "size": (640, 360), "b_frames": 2}),
        ({"has_sound": False}, {}),
        ({}, {"acodec": "libmp3lame"}),
        ({}, {"vcodec": "mpeg2video"}),
    ],
    ids=["other settings", "silent beginning", "other sound", "other codec"],
)
def test_parts_that_are_encoded_differently_are_refused(
    origin: Origin, run: Fetch, clips: Path, first: dict[str, object], second: dict[str, object]
) -> None:
    folders = [
        hls(clips, f"part-{'-'.join(map(str, options.values()))}", **options)  # type: ignore[arg-type]
        for options in (first, second)
    ]
    with pytest.raises(NotAVideo, match="differently"):
        run(one_after_the_other(origin, folders), kind=HLS)


@pytest.mark.parametrize(
    ("lacking", "kind"), [({"has_sound": False}, "audio"), ({"has_picture": False}, "video")]
)
def test_a_part_without_sound_or_picture_leaves_a_hole(
    origin: Origin, run: Fetch, clips: Path, lacking: dict[str, bool], kind: str
) -> None:
    whole = hls(clips, "part-small")
    part = hls(clips, f"part-{next(iter(lacking))}", **lacking)
    fetched = run(one_after_the_other(origin, [whole, part, whole]), kind=HLS)
    times = times_of(fetched.path, kind)
    assert not [time for time in times if 4.2 < time < 7.8]
    assert times[-1] == pytest.approx(12, abs=0.3)


def test_a_part_may_count_time_in_other_ticks(origin: Origin, run: Fetch, clips: Path) -> None:
    text = HEAD + 'mediaPresentationDuration="PT8S">'
    for scale in ("90000", "1000"):
        options = {"movflags": "faststart", "video_track_timescale": scale}
        clip = make_clip(clips / f"{scale}.mp4", seconds=4, options=options)
        origin.serve(f"/{scale}.mp4", clip.read_bytes())
        text += (
            '<Period duration="PT4S"><AdaptationSet mimeType="video/mp4"><Representation id="1" '
            f'height="180"><BaseURL>{scale}.mp4</BaseURL></Representation></AdaptationSet></Period>'
        )
    fetched = run(origin.serve("/m.mpd", (text + "</MPD>").encode()), kind=StreamKind.DASH)
    assert times_of(fetched.path, "video") == pytest.approx([n / 10 for n in range(80)], abs=0.03)


def test_another_size_of_picture_in_mpeg_ts_is_joined(
    origin: Origin, run: Fetch, clips: Path
) -> None:
    folders = [hls(clips, "part-small"), hls(clips, "part-large", size=(640, 360))]
    fetched = run(one_after_the_other(origin, folders), kind=HLS)
    assert len(times_of(fetched.path, "video")) == 80


def test_the_sound_inside_the_picture_is_kept_beside_that_of_other_languages(
    origin: Origin, run: Fetch, clips: Path, ts_stream: Path
) -> None:
    serve_folder(origin, ts_stream, "/v")
    serve_folder(origin, hls(clips, "french", seconds=12, has_picture=False), "/fr")
    url = playlist(
        origin,
        "/master.m3u8",
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="VO",LANGUAGE="ja",DEFAULT=YES',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="VF",LANGUAGE="fr-FR",URI="fr/index.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=320x180,AUDIO="a"',
        "v/index.m3u8",
    )
    with av.open(str(run(url, kind=HLS).path)) as media:
        languages = [stream.metadata.get("language") for stream in media.streams.audio]
    assert languages == ["und", "fra"]


def test_sound_of_one_period_is_put_where_that_period_begins(
    origin: Origin, run: Fetch, clips: Path
) -> None:
    def period(seconds: int, name: str, language: str) -> str:
        sets = [
            f'<AdaptationSet mimeType="{mime}/mp4" lang="{language}"><Representation id="{mime}" '
            f'height="180"><BaseURL>{mime}-{name}.mp4</BaseURL></Representation></AdaptationSet>'
            for mime in ("video", "audio")
        ]
        return f'<Period duration="PT{seconds}S">{"".join(sets)}</Period>'

    faststart = {"movflags": "faststart"}
    for name, seconds in (("long", 6), ("short", 2)):
        for mime in ("video", "audio"):
            clip = make_clip(
                clips / f"{mime}-{name}.mp4",
                seconds=seconds,
                options=faststart,
                has_picture=mime == "video",
                has_sound=mime == "audio",
            )
            origin.serve(f"/{clip.name}", clip.read_bytes())
    text = HEAD + 'mediaPresentationDuration="PT14S">' + period(6, "long", "ja")
    text += period(2, "short", "en") + period(6, "long", "ja") + "</MPD>"
    fetched = run(origin.serve("/m.mpd", text.encode()), kind=StreamKind.DASH)

    japanese, english = (times_of(fetched.path, "audio", number) for number in (0, 1))
    assert english[0] == pytest.approx(6, abs=0.1)
    assert english[-1] < 8.1
    assert not [time for time in japanese if 6.1 < time < 7.9]
    assert japanese[-1] == pytest.approx(14, abs=0.2)


def test_periods_that_tell_only_when_they_begin_follow_each_other(
    origin: Origin, run: Fetch, clips: Path
) -> None:
    clip = make_clip(clips / "period.mp4", seconds=6, options={"movflags": "faststart"})
    origin.serve("/period.mp4", clip.read_bytes())
    text = HEAD + 'mediaPresentationDuration="PT12S">'
    for start in (0, 6):
        text += (
            f'<Period start="PT{start}S"><AdaptationSet mimeType="video/mp4"><Representation '
            'id="1" height="180"><BaseURL>period.mp4</BaseURL></Representation></AdaptationSet>'
            "</Period>"
        )
    fetched = run(origin.serve("/m.mpd", (text + "</MPD>").encode()), kind=StreamKind.DASH)
    assert fetched.duration_seconds == pytest.approx(12, abs=0.2)


def test_no_picture_of_a_matroska_file_is_lost(origin: Origin, run: Fetch, clips: Path) -> None:
    picture = make_clip(
        clips / "b.mkv", seconds=4, container="matroska", has_sound=False, b_frames=2
    )
    sound = make_clip(clips / "b.m4a", seconds=4, container="mp4", has_picture=False)
    video = origin.serve("/v", picture.read_bytes())
    audio = origin.serve("/a", sound.read_bytes())
    fetched = run("", stream=Stream(video, StreamKind.SPLIT, audio_url=audio))
    with av.open(str(fetched.path)) as media:
        assert sum(1 for _ in media.decode(video=0)) == 40


def test_sound_without_a_clock_begins_with_the_picture(
    origin: Origin, run: Fetch, clips: Path
) -> None:
    sound = make_clip(clips / "bare.aac", seconds=4, container="adts", has_picture=False)
    picture = hls(clips, "silent", has_sound=False)
    serve_folder(origin, picture, "/v")
    origin.serve("/bare.aac", sound.read_bytes())
    playlist(origin, "/bare.m3u8", "#EXTINF:4,", "bare.aac", "#EXT-X-ENDLIST")
    url = playlist(
        origin,
        "/master.m3u8",
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="VO",URI="bare.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=320x180,AUDIO="a"',
        "v/index.m3u8",
    )
    fetched = run(url, kind=HLS)
    first = times_of(fetched.path, "video")[0], times_of(fetched.path, "audio")[0]
    assert first[0] == pytest.approx(first[1], abs=0.1)


def test_sound_that_begins_long_after_the_picture_is_found(
    origin: Origin, run: Fetch, clips: Path
) -> None:
    folder = clips / "late"
    folder.mkdir()
    picture = make_clip(clips / "p.ts", seconds=20, container="mpegts", has_sound=False)
    sound = make_clip(clips / "s.ts", seconds=2, container="mpegts", has_picture=False)
    with (
        av.open(str(picture)) as first,
        av.open(str(sound)) as second,
        av.open(str(folder / "all.ts"), "w", format="mpegts") as output,
    ):
        streams = [output.add_stream_from_template(m.streams[0]) for m in (first, second)]
        for media, stream, delay in zip((first, second), streams, (0, 18), strict=True):
            for packet in media.demux():
                if packet.dts is not None and packet.pts is not None:
                    packet.pts += delay * 90_000
                    packet.dts += delay * 90_000
                    packet.stream = stream
                    output.mux(packet)
    origin.serve("/all.ts", (folder / "all.ts").read_bytes())
    fetched = run(
        playlist(origin, "/late.m3u8", "#EXTINF:20,", "all.ts", "#EXT-X-ENDLIST"), kind=HLS
    )
    assert times_of(fetched.path, "audio")[0] == pytest.approx(18, abs=0.2)


def test_a_subtitle_behind_the_end_does_not_make_the_file_longer(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    serve_folder(origin, ts_stream, "/v")
    words = "WEBVTT\n\n00:01.000 --> 99:59:59.000\nstays\n\n99:00:00.000 --> 99:00:01.000\ngoes\n"
    origin.serve("/words.vtt", words.encode())
    playlist(origin, "/words.m3u8", "#EXTINF:12,", "words.vtt", "#EXT-X-ENDLIST")
    url = playlist(
        origin,
        "/master.m3u8",
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="FR",LANGUAGE="fr",URI="words.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=320x180,SUBTITLES="s"',
        "v/index.m3u8",
    )
    fetched = run(url, kind=HLS)
    assert fetched.duration_seconds == pytest.approx(12, abs=0.2)


def test_subtitles_of_a_later_part_follow_the_clock_of_that_part(
    origin: Origin, run: Fetch, clips: Path
) -> None:
    part = hls(clips, "part-small")
    one_after_the_other(origin, [part, part])
    with av.open(str(part / "s000.ts")) as media:
        ticks = round((media.start_time or 0) * 0.09)
    for number in (0, 1):
        words = f"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{ticks},LOCAL:00:00:00.000\n\n"
        words += f"00:01.000 --> 00:02.000\npart {number}\n"
        origin.serve(f"/words{number}.vtt", words.encode())
    words_url = "#EXTINF:4,", "words0.vtt", "#EXT-X-DISCONTINUITY", "#EXTINF:4,", "words1.vtt"
    playlist(origin, "/words.m3u8", *words_url, "#EXT-X-ENDLIST")
    url = playlist(
        origin,
        "/master.m3u8",
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="FR",URI="words.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=320x180,SUBTITLES="s"',
        "parts.m3u8",
    )
    fetched = run(url, kind=HLS)
    with av.open(str(fetched.path)) as media:
        cues = [p for p in media.demux(subtitles=0) if p.size > 2]
        assert [bytes(cue)[2:] for cue in cues] == [b"part 0", b"part 1"]
        assert [float((cue.pts or 0) * cue.time_base) for cue in cues] == pytest.approx([1, 5])


@pytest.mark.parametrize(
    ("options", "codec", "tag"),
    [
        ({"vcodec": "libx265"}, "hevc", "hvc1"),
        ({"acodec": "libmp3lame"}, "h264", "avc1"),
    ],
    ids=["hevc", "mp3"],
)
def test_codecs_get_the_container_and_the_tag_that_players_know(
    origin: Origin, run: Fetch, clips: Path, *, options: dict[str, str], codec: str, tag: str
) -> None:
    folder = hls(clips, f"codec-{codec}", **options)  # type: ignore[arg-type]
    fetched = run(serve_folder(origin, folder, "/v"), kind=HLS)
    with av.open(str(fetched.path)) as media:
        context = media.streams.video[0].codec_context
        assert (fetched.extension, context.name, context.codec_tag) == ("mp4", codec, tag)


@pytest.mark.parametrize(
    ("tag", "code"),
    [("fr", "fra"), ("fr-FR", "fra"), ("JPN", "jpn"), ("fre", "fre"), ("tlh", "tlh"), ("", "")],
)
def test_a_language_gets_its_three_letters(tag: str, code: str) -> None:
    assert three_letters(tag) == code


def test_fragments_keep_their_packets(origin: Origin, run: Fetch, clips: Path) -> None:
    folder = hls(clips, "fragments", fmp4=True)
    fetched = run(one_after_the_other(origin, [folder, folder]), kind=HLS)
    assert len(times_of(fetched.path, "video")) == 80

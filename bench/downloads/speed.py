"""The suites whose figure is time: what each fetches, with which tools, and what was promised."""

from __future__ import annotations

from pathlib import Path

import av

from bench.downloads.measure import Goal, Suite, same_as
from bench.downloads.origins import (
    BIG_BYTES,
    FILES,
    FPS,
    MIDDLE_BYTES,
    SEGMENT_SECONDS,
    SEGMENTS,
    WORK,
    Origins,
)
from bench.downloads.tools import (
    OWN,
    Tool,
    aria,
    axel,
    curl,
    ffmpeg,
    own,
    streamlink,
    wget,
    yt_dlp,
)

ARIA = "aria2c -x16 -k1M"
YT_DLP = "yt-dlp -N16"
DJANGO = "manage.py fetch"
CHECKS = (
    "Ours also opens the file and decodes it at three places, and calls fsync before the final "
    "name; no peer does either."
)
SHARED = "Origin and tool share two cores: a tool with several busy threads slows its own origin."
DISK = (
    "Each tool begins with nothing of the last one's left to be written. The peers end with their "
    "bytes in the page cache only; 'curl, then fsync' shows what that leaves out."
)
FRONT = (
    "Every tool ends with an MP4 whose index is at the front. streamlink has at most 10 threads, "
    "ffmpeg one connection."
)
FRAGMENTS = "yt-dlp leaves the fragments as they came and saves itself the joining that others do."
THROTTLE = (
    "The origin is Python at 4 MiB/s a connection and 20 ms before each answer; the ideal counts "
    "no start of a process."
)


def speed_suites(origins: Origins) -> list[Suite]:
    """All of them; those that need nginx only when it is there."""
    suites = []
    if origins.plain:
        suites += [*_single(origins), *_parallel(origins)]
    suites += _throttled(origins)
    return suites + _streams(origins)


def _single(origins: Origins) -> list[Suite]:
    url, tls = f"{origins.plain}/1g.mp4", f"{origins.tls}/1g.mp4"
    ca = str(origins.ca_file)
    tools = {
        OWN: own(url, 1),
        "tsuzuku, with sha256": own(url, 1, "--json"),
        DJANGO: own(url, 1, django=True),
        "curl": curl(url),
        "wget": wget(url),
        "aria2c -x1": aria(url, "-x1", "-s1"),
        "yt-dlp": yt_dlp(url),
    }
    flush = 'curl -sS -o "$0/x.mp4" "$1" && sync "$0/x.mp4"'
    disk = tools | {"curl, then fsync": Tool(["bash", "-c", flush, "{out}", url])}
    secure = {
        OWN: own(tls, 1),
        "tsuzuku, with sha256": own(tls, 1, "--json"),
        "curl": curl(tls, "--cacert", ca),
        "wget": wget(tls, f"--ca-certificate={ca}"),
        "aria2c -x1": aria(tls, "-x1", "-s1", f"--ca-certificate={ca}"),
        "yt-dlp": yt_dlp(tls),
    }
    against = [Goal(OWN, "seconds", 0.90, "curl"), Goal(OWN, "cpu", 0.90, "curl")]
    memory = [Goal(OWN, "peak_mb", 60), Goal(DJANGO, "peak_mb", 110)]
    tls_goals = [Goal(OWN, "seconds", 1.0, "curl"), Goal(OWN, "cpu", 1.0, "curl")]
    check, notes = same_as(FILES / "1g.mp4"), [CHECKS, SHARED]
    title = "1 GB over one connection"
    return [
        Suite(
            "single",
            f"{title}, to memory",
            tools,
            "curl",
            BIG_BYTES,
            check,
            against + memory,
            notes=notes,
        ),
        Suite(
            "single-disk",
            f"{title}, to disk",
            disk,
            "curl",
            BIG_BYTES,
            check,
            against + memory,
            out=WORK / "out",
            notes=[*notes, DISK],
        ),
        Suite(
            "single-tls",
            f"{title}, TLS, to memory",
            secure,
            "curl",
            BIG_BYTES,
            check,
            tls_goals,
            notes=[*notes, "Every tool checks the certificate."],
        ),
    ]


def _throttled(origins: Origins) -> list[Suite]:
    smooth = f"{origins.throttled}/rate=4m,lat=20/256m.mp4"
    uneven = f"{origins.throttled}/rate=4m,lat=20,slow=5/256m.mp4"
    fast = [Goal(OWN, "seconds", 1.03, ARIA), Goal(OWN, "ideal", 1.06), Goal(OWN, "cpu", 1.1, ARIA)]
    check = same_as(FILES / "256m.mp4")
    # The uneven ideal: thirteen connections at 4 MiB/s and three at 0.4.
    return [
        Suite(
            "throttled",
            "256 MiB at 4 MiB/s a connection, 16 connections",
            _parallel_tools(smooth)
            | {"aria2c -x16, own split": aria(smooth, "-x16", "-s16", "--file-allocation=none")},
            ARIA,
            MIDDLE_BYTES,
            check,
            fast,
            ideal_seconds=4.0,
            notes=[THROTTLE, CHECKS],
        ),
        Suite(
            "uneven",
            "the same, every fifth connection at a tenth",
            _parallel_tools(uneven),
            ARIA,
            MIDDLE_BYTES,
            check,
            [Goal(OWN, "seconds", 0.95, ARIA)],
            ideal_seconds=4.81,
            notes=[THROTTLE, CHECKS, "A connection that is opened anew draws its speed again."],
        ),
    ]


def _parallel_tools(url: str) -> dict[str, Tool]:
    words = ["-x16", "-s16", "-k1M", "--file-allocation=none"]
    external = ["--downloader", "aria2c", "--downloader-args", "aria2c:-x16 -s16 -k1M"]
    return {
        OWN: own(url, 16),
        ARIA: aria(url, *words),
        "axel -n16": axel(url),
        "yt-dlp + aria2c": yt_dlp(url, *external),
    }


def _parallel(origins: Origins) -> list[Suite]:
    suites = []
    ca = str(origins.ca_file)
    places: tuple[tuple[str, str, list[str], float], ...] = (
        ("parallel", origins.plain, [], 1.25),
        ("parallel-tls", origins.tls, ["--cacert", ca], 1.1),
    )
    for name, base, words, bound in places:
        url = f"{base}/1g.mp4"
        extra = [f"--ca-certificate={ca}"] if words else []
        tools = {
            OWN: own(url, 4),
            "curl": curl(url, *words),
            "aria2c -x4": aria(url, "-x4", "-s4", "-k1M", "--file-allocation=none", *extra),
        }
        title = f"1 GB, up to 4 connections, no throttle{', TLS' if words else ''}"
        goals = [Goal(OWN, "seconds", bound, "curl")]
        check = same_as(FILES / "1g.mp4")
        suites.append(
            Suite(name, title, tools, "curl", BIG_BYTES, check, goals, notes=[CHECKS, SHARED])
        )
    return suites


def _streams(origins: Origins) -> list[Suite]:
    suites = []
    if origins.plain:
        places = {
            "hls-ts": ("TS", f"{origins.plain}/ts"),
            "hls-fmp4": ("fMP4", f"{origins.plain}/fmp4"),
            "hls-aes": ("AES-128", f"{origins.plain}/aes"),
            "hls-tls": ("TS over TLS", f"{origins.tls}/ts"),
            "hls-late": ("TS, 50 ms a request", f"{origins.plain}/late/ts"),
        }
        suites = [_stream(name, *place) for name, place in places.items()]
    slow = f"{origins.throttled}/rate=1m,lat=50/ts"
    return [*suites, _stream("hls-slow", "TS, 1 MiB/s a connection", slow, is_throttled=True)]


def _stream(name: str, title: str, base: str, *, is_throttled: bool = False) -> Suite:
    url = f"{base}/index.m3u8"
    tools = {
        OWN: own(url, 16),
        YT_DLP: yt_dlp(url, "--downloader", "m3u8:native", "-N", "16"),
        "streamlink": streamlink(url),
    }
    goals = [
        Goal(OWN, "seconds", 0.33, YT_DLP),
        Goal(OWN, "cpu", 0.45, YT_DLP),
        Goal(OWN, "peak_mb", 160),
    ]
    if is_throttled:
        goals = [Goal(OWN, "seconds", 0.95, YT_DLP), Goal(OWN, "ideal", 1.05)]
    else:
        tools["ffmpeg"] = ffmpeg(url)
    return Suite(
        name,
        f"HLS, {SEGMENTS} segments, 16 at once: {title}",
        tools,
        YT_DLP,
        sum(path.stat().st_size for path in segments(base.rsplit("/", 1)[1])),
        whole_stream,
        goals,
        ideal_seconds=bound_seconds() if is_throttled else 0.0,
        notes=[CHECKS, FRONT, *([FRAGMENTS] if name == "hls-fmp4" else [])],
    )


def segments(kind: str) -> list[Path]:
    """The media files of a playlist, in order."""
    return sorted((FILES / kind).glob("s[0-9]*"))


def bound_seconds() -> float:
    """Whole segments over sixteen connections of 1 MiB/s, each beginning 50 ms late."""
    free = [0.0] * 16
    for path in segments("ts"):
        first = free.index(min(free))
        free[first] += 0.05 + path.stat().st_size / 1024**2
    return max(free)


def whole_stream(folder: Path) -> bool:
    """Every frame of the video, all of the sound, and the index before the media."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    if len(files) != 1 or not _begins_with_index(files[0]):
        return False
    with av.open(str(files[0])) as media:
        seconds = (media.duration or 0) / 1_000_000
        # A fragmented file does not say how many there are.
        frames = media.streams.video[0].frames or sum(
            packet.dts is not None for packet in media.demux(video=0)
        )
        is_long_enough = abs(seconds - SEGMENTS * SEGMENT_SECONDS) < 2
        is_complete = frames == SEGMENTS * SEGMENT_SECONDS * FPS
        return bool(media.streams.audio) and is_long_enough and is_complete


def _begins_with_index(path: Path) -> bool:
    """Whether an MP4 can be played before all of it has been read."""
    with path.open("rb") as file:
        while len(head := file.read(16)) == 16:
            size, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if kind in {b"moov", b"mdat"}:
                return kind == b"moov"
            size = int.from_bytes(head[8:], "big") if size == 1 else size
            if size < 8:
                return False
            file.seek(size - 16, 1)
    return False

from __future__ import annotations

import io
from urllib.parse import urljoin

import av
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from providers.demo import DemoSite
from providers.tests.demo.asking import ask

CLIP = "/media/les-horlogers-de-minuit-101"


def assert_plays(content: bytes, kind: str, height: int) -> None:
    """Decode every frame of what must be eight seconds of this height, with sound."""
    with av.open(io.BytesIO(content), "r", format=kind) as container:
        moments = [
            float(frame.pts * frame.time_base)
            for frame in container.decode(video=0)
            if frame.pts is not None and frame.time_base is not None
        ]
        assert container.streams.video[0].height == height
        assert len(container.streams.audio) == 1
    assert len(moments) == 96
    assert max(moments) - min(moments) == pytest.approx(8, abs=0.2)


@pytest.mark.parametrize(("suffix", "height"), [("", 720), ("-360p", 360)])
def test_a_clip_is_a_playable_video_of_its_height(site: DemoSite, suffix: str, height: int) -> None:
    answer = ask(f"{site.base_url}{CLIP}{suffix}.mp4")

    assert answer.headers["Content-Type"] == "video/mp4"
    assert_plays(answer.body, "mp4", height)


def test_two_episodes_are_different_files(site: DemoSite) -> None:
    first = ask(f"{site.base_url}{CLIP}-360p.mp4")
    second = ask(f"{site.base_url}/media/les-horlogers-de-minuit-102-360p.mp4")

    assert first.body != second.body


def test_an_unknown_clip_is_not_found(site: DemoSite) -> None:
    assert ask(f"{site.base_url}/media/les-horlogers-de-minuit-99999.mp4").status == 404


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-99", 0, 100), ("bytes=100-", 100, None), ("bytes=-50", -50, None)],
)
def test_a_range_is_answered_with_just_these_bytes(
    site: DemoSite, asked: str, start: int, end: int | None
) -> None:
    url = f"{site.base_url}{CLIP}-360p.mp4"
    whole = ask(url)

    part = ask(url, headers={"Range": asked})

    assert part.status == 206
    assert part.body == whole.body[start:end]
    assert part.headers["Content-Range"].endswith(f"/{len(whole.body)}")
    assert part.headers["ETag"] == whole.headers["ETag"]


def test_a_range_behind_the_end_is_refused(site: DemoSite) -> None:
    answer = ask(f"{site.base_url}{CLIP}-360p.mp4", headers={"Range": "bytes=99999999-"})

    assert answer.status == 416
    assert answer.headers["Content-Range"].startswith("bytes */")


def test_a_range_of_another_version_gets_the_whole_file(site: DemoSite) -> None:
    url = f"{site.base_url}{CLIP}-360p.mp4"

    other = ask(url, headers={"Range": "bytes=5-", "If-Range": '"older"'})
    same = ask(url, headers={"Range": "bytes=5-", "If-Range": other.headers["ETag"]})

    assert (other.status, same.status) == (200, 206)


def test_head_tells_the_length_and_sends_nothing(site: DemoSite) -> None:
    url = f"{site.base_url}{CLIP}-360p.mp4"

    head = ask(url, method="HEAD")

    assert head.body == b""
    assert int(head.headers["Content-Length"]) == len(ask(url).body)
    assert head.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("kind", ["", "fmp4/", "aes/"])
def test_each_kind_of_hls_plays_to_its_end(site: DemoSite, kind: str) -> None:
    master = f"{site.base_url}{CLIP}/{kind}master.m3u8"
    variants = [line for line in ask(master).text.splitlines() if not line.startswith("#")]

    for variant, height in zip(variants, (360, 720), strict=True):
        url = urljoin(master, variant)
        content = joined(url, ask(url).text)
        assert_plays(content, "mp4" if kind == "fmp4/" else "mpegts", height)


def joined(url: str, playlist: str) -> bytes:
    """All segments of a playlist, decrypted where it says so."""
    lines = playlist.splitlines()
    content = b""
    key = b""
    for line in lines:
        if line.startswith("#EXT-X-MAP"):
            content += ask(urljoin(url, line.split('"')[1])).body
        elif line.startswith("#EXT-X-KEY"):
            key = ask(urljoin(url, line.split('"')[1])).body
        elif line and not line.startswith("#"):
            piece = ask(urljoin(url, line)).body
            content += decrypted(piece, key) if key else piece
    assert lines[-1] == "#EXT-X-ENDLIST"
    return content


def decrypted(piece: bytes, key: bytes) -> bytes:
    cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).decryptor()
    remover = PKCS7(128).unpadder()
    return remover.update(cipher.update(piece) + cipher.finalize()) + remover.finalize()

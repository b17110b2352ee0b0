"""Playlists with many initialisation segments: read in linear time, fetched together, bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from downloads.engine.errors import PlaylistRefused
from downloads.engine.playlist import MAX_INITS, MediaPlaylist, parse_playlist
from downloads.tests.engine.conftest import CLIP_SECONDS, Fetch
from downloads.tests.engine.origin import Answer, Origin
from downloads.tests.engine.test_hls import HLS, packet_counts, serve_folder

URL = "https://cdn.example/v/index.m3u8"


def text_of(addresses: Iterator[str]) -> str:
    lines = [f'#EXT-X-MAP:URI="{address}"\n#EXTINF:0.1,\ns.m4s' for address in addresses]
    return "\n".join(["#EXTM3U", *lines, "#EXT-X-ENDLIST"])


def test_a_playlist_with_too_many_of_them_is_refused() -> None:
    with pytest.raises(PlaylistRefused, match="too often"):
        parse_playlist(text_of(f"{number}.mp4" for number in range(MAX_INITS + 1)), URL)


def test_those_that_return_are_known_by_their_number() -> None:
    playlist = parse_playlist(text_of(f"{number % 2}.mp4" for number in range(6)), URL)

    assert isinstance(playlist, MediaPlaylist)
    assert [segment.init for segment in playlist.segments] == [0, 1, 0, 1, 0, 1]
    assert [segment.group for segment in playlist.segments] == [0, 1, 2, 3, 4, 5]
    assert len(playlist.inits) == 2


def test_all_together_may_not_fill_the_memory(origin: Origin, run: Fetch) -> None:
    for number in range(20):
        origin.serve(f"/v/{number}.mp4", Answer(whole_size=9_000_000))
    url = origin.serve("/v/i.m3u8", text_of(f"{n}.mp4" for n in range(20)).encode())
    with pytest.raises(PlaylistRefused, match="too many"):
        run(url, kind=HLS)
    assert origin.sent_bytes() < 110_000_000


def test_one_that_is_wanted_under_many_vectors_may_not_fill_the_memory(
    origin: Origin, run: Fetch
) -> None:
    encryptor = Cipher(algorithms.AES(bytes(16)), modes.CBC(bytes(16))).encryptor()
    origin.serve("/v/a.mp4", encryptor.update(bytes(8_000_000) + b"\x10" * 16))
    origin.serve("/v/key", bytes(16))
    lines = [
        f'#EXT-X-KEY:METHOD=AES-128,URI="key",IV=0x{number:x}\n'
        '#EXT-X-MAP:URI="a.mp4"\n#EXTINF:1,\ns.m4s'
        for number in range(9)
    ]
    text = "\n".join(["#EXTM3U", *lines, "#EXT-X-ENDLIST"])
    with pytest.raises(PlaylistRefused, match="too large"):
        run(origin.serve("/v/i.m3u8", text.encode()), kind=HLS)
    assert len(origin.requests("/v/a.mp4")) == 1


def test_they_are_fetched_a_few_at_a_time(origin: Origin, run: Fetch, fmp4_stream: Path) -> None:
    url = serve_folder(origin, fmp4_stream, "/v")
    text = (fmp4_stream / "index.m3u8").read_text()
    name = text.split('#EXT-X-MAP:URI="')[1].split('"')[0]
    init = Answer((fmp4_stream / name).read_bytes(), etag="")
    for number in range(4):
        origin.serve(f"/v/{number}.mp4", replace(init, delay_seconds=0.2))
    # Those that no segment follows are fetched all the same.
    others = "\n".join(f'#EXT-X-MAP:URI="{number}.mp4"' for number in range(4))
    text = text.replace("#EXT-X-MAP:", f"{others}\n#EXT-X-MAP:")
    origin.serve("/v/index.m3u8", Answer(text.encode(), etag=""))
    fetched = run(url, kind=HLS)

    assert packet_counts(fetched.path)["video"] == CLIP_SECONDS * 10
    assert origin.most_connections == 4

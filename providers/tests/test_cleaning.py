from __future__ import annotations

import pytest

from providers.cleaning import clean_sources, clean_url
from providers.errors import NotFound
from providers.streams import StreamKind, VideoSource


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("https://h.example/E\u0301pisode.mp4?a=\u0301%20b", "/E%CC%81pisode.mp4?a=%CC%81%20b"),
        ("https://h.example/a\u00a0b.mp4", "/a%C2%A0b.mp4"),
        ("https://h.example/\u200bx.mp4", "/%E2%80%8Bx.mp4"),
        ("https://h.example/\u00e9t\u00e9.mp4", "/\u00e9t\u00e9.mp4"),
    ],
)
def test_an_address_keeps_the_letters_that_text_would_lose(address: str, asked: str) -> None:
    (source,) = clean_sources([VideoSource(address, StreamKind.HTTP, "h")])
    assert source.url == f"https://h.example{asked}"


@pytest.mark.parametrize("address", ["https://h\u200b.example/a.mp4", "https://h.example/\ud800"])
def test_an_address_that_nothing_can_be_asked_at_is_left_out(address: str) -> None:
    assert clean_url(address) == ""
    with pytest.raises(NotFound):
        clean_sources([VideoSource(address, StreamKind.HTTP, "h")])

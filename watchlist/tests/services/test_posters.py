from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest
from django.core import signing
from PIL import Image
from pytest_django import Settings

from providers.safe_url import EgressPolicy
from watchlist.services import posters
from watchlist.tests.factories import CheckFactory, SeriesFactory, WatchlistItemFactory


@dataclass
class Origin:
    """A site that serves what a test gives it."""

    base_url: str
    bodies: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def origin(settings: Settings, tmp_path: Path) -> Iterator[Origin]:
    settings.DATA_DIR = tmp_path / "state"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            body = found.bodies.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's name
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port = server.server_address[1]
    settings.EGRESS_POLICY = EgressPolicy.parse([f"127.0.0.1:{port}"])
    found = Origin(f"http://127.0.0.1:{port}")
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def picture(kind: str = "JPEG", size: tuple[int, int] = (600, 800), mode: str = "RGB") -> bytes:
    made = BytesIO()
    Image.new(mode, size, (200, 30, 30) if mode == "RGB" else None).save(made, kind)
    return made.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)

    header = width.to_bytes(4) + height.to_bytes(4) + bytes([8, 2, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_every_accepted_kind_becomes_a_small_webp(kind: str) -> None:
    drawn = posters.redraw(picture(kind))
    with Image.open(BytesIO(drawn)) as result:
        assert (result.format, result.size) == ("WEBP", (300, 450))
    assert drawn[:4] == b"RIFF"
    assert drawn[8:12] == b"WEBP"


def test_transparency_is_laid_on_paper() -> None:
    made = BytesIO()
    Image.new("RGBA", (300, 450), (0, 0, 0, 0)).save(made, "PNG")
    with Image.open(BytesIO(posters.redraw(made.getvalue()))) as result:
        low, _high = result.convert("L").getextrema()
    assert isinstance(low, int | float)
    assert low > 220


def test_metadata_does_not_survive() -> None:
    made = BytesIO()
    secret = Image.Exif()
    secret[0x010E] = "a secret description"
    Image.new("RGB", (300, 450)).save(made, "JPEG", exif=secret)
    assert b"secret" in made.getvalue()
    assert b"secret" not in posters.redraw(made.getvalue())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><title>Sign in</title>",
        b"\x89PNG\r\n\x1a\n" + b"not a picture at all",
        b"GIF89a<script>alert(1)</script>",
        b"RIFF\x00\x00\x00\x00AVI LIST",
        b"%PDF-1.7",
        picture("JPEG")[:200],
        picture("BMP"),
        png_that_claims(50_000, 50_000),
        png_that_claims(6_000, 5_000),
    ],
    ids=[
        "empty", "svg", "html", "broken png", "gif with script", "avi", "pdf", "cut jpeg",
        "bmp", "bomb", "above the limit",
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(posters.NotAPicture):
        posters.redraw(content)


def test_a_poster_is_fetched_once(origin: Origin) -> None:
    origin.bodies["/a.jpg"] = picture()
    address = f"{origin.base_url}/a.jpg"
    first = posters.stored_or_fetched(address)
    assert first is not None
    assert posters.stored_or_fetched(address) == first
    assert origin.asked == ["/a.jpg"]


def test_no_half_written_file_is_left(origin: Origin, settings: Settings) -> None:
    origin.bodies["/a.jpg"] = picture()
    posters.fetch(address=f"{origin.base_url}/a.jpg")
    names = [file.name for file in (Path(settings.DATA_DIR) / "posters").iterdir()]
    assert names == [f"{posters.key_of(origin.base_url + '/a.jpg')}.webp"]


@pytest.mark.parametrize("body", [None, b"<html>no</html>"], ids=["absent", "html"])
def test_a_failure_is_remembered(origin: Origin, body: bytes | None) -> None:
    if body is not None:
        origin.bodies["/a.jpg"] = body
    address = f"{origin.base_url}/a.jpg"
    assert posters.stored_or_fetched(address) is None
    assert posters.stored_or_fetched(address) is None
    assert origin.asked == ["/a.jpg"]


def test_a_private_address_is_never_asked(origin: Origin, settings: Settings) -> None:
    origin.bodies["/a.jpg"] = picture()
    settings.EGRESS_POLICY = EgressPolicy.parse([])
    assert posters.stored_or_fetched(f"{origin.base_url}/a.jpg") is None
    assert origin.asked == []


@pytest.mark.parametrize("address", ["file:///etc/passwd", "javascript:alert(1)", "x", "http://"])
def test_an_address_that_is_none_gives_nothing(origin: Origin, address: str) -> None:
    assert posters.stored_or_fetched(address) is None


def test_a_forged_preview_is_refused() -> None:
    signed = signing.dumps("http://posters.example/a.jpg", salt="something else")
    assert posters.address_of_preview(signed) is None
    assert posters.address_of_preview("nonsense") is None


@pytest.mark.django_db
def test_a_check_brings_the_poster(origin: Origin) -> None:
    origin.bodies["/a.jpg"] = picture()
    series = SeriesFactory.create(poster_url=f"{origin.base_url}/a.jpg")
    check = CheckFactory.create(series=series)
    assert posters.fetch_for_checks(check_ids=[str(check.pk)]) == 1
    assert posters.fetch_for_checks(check_ids=[str(check.pk)]) == 0
    assert posters.stored(series.poster_url) is not None


@pytest.mark.django_db
def test_a_poster_that_another_process_deletes_meanwhile_keeps_no_other(
    settings: Settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    folder = tmp_path / "posters"
    folder.mkdir()
    # Listed, and gone when looked at.
    (folder / "gone.webp").symlink_to(folder / "nowhere")
    old = folder / "old.webp"
    old.touch()
    os.utime(old, (0, 0))
    assert posters.forget_unused() == 1
    assert not old.exists()


@pytest.mark.django_db
def test_posters_of_nothing_are_forgotten_after_a_while(origin: Origin, settings: Settings) -> None:
    origin.bodies |= {"/a.jpg": picture(), "/b.jpg": picture(), "/c.jpg": picture()}
    urls = [f"{origin.base_url}/{name}.jpg" for name in "abc"]
    SeriesFactory.create(poster_url=urls[0])
    WatchlistItemFactory.create(poster_image=urls[1])
    for url in urls:
        posters.fetch(address=url)
    for file in (Path(settings.DATA_DIR) / "posters").iterdir():
        long_ago = time.time() - posters.UNUSED_SECONDS - 1
        os.utime(file, (long_ago, long_ago))
    assert posters.forget_unused() == 1
    assert [posters.stored(url) is not None for url in urls] == [True, True, False]

"""Posters: fetched once by the server, made small, kept on disk, and served by us alone.

No browser ever talks to a provider. What comes from outside is believed only when its first bytes
and its decoder agree that it is a picture; it is drawn anew, so nothing of the original is served.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core import signing
from django.urls import reverse
from PIL import Image, ImageOps, UnidentifiedImageError

from providers import gateway
from providers.errors import ProviderError
from watchlist.models import Series, WatchlistItem

SIZE: Final = (300, 450)
QUALITY: Final = 80
MAX_BYTES: Final = 5_000_000
MAX_PIXELS: Final = 25_000_000
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
# A worker may take its time; a page waits for a moment and shows the initials instead.
WORKER_SECONDS: Final = 20.0
PAGE_SECONDS: Final = 4.0
BATCH_SECONDS: Final = 20.0
RETRY_SECONDS: Final = 3600.0
RETRY_REFUSED_SECONDS: Final = 7 * 24 * 3600.0
UNUSED_SECONDS: Final = 7 * 24 * 3600.0
PREVIEW_SECONDS: Final = 24 * 3600
_SALT: Final = "watchlist.posters"
_MAGIC: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"GIF87a", b"GIF89a")
_AVIF_BRANDS: Final = (b"avif", b"avis")
_TRANSPARENT_MODES: Final = frozenset({"RGBA", "LA", "PA", "La", "RGBa"})
# A browser asks for six at once, two are fetched at a time. Whoever waits for one holds a thread of
# the web server as well, and most of those must stay free for the pages themselves.
PAGE_SEATS: Final = 6
_page_seats = threading.BoundedSemaphore(PAGE_SEATS)
_page_slots = threading.BoundedSemaphore(2)
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


class NotAPicture(Exception):
    """The bytes are not a picture of a kind and size that we draw."""


def key_of(address: str) -> str:
    """The name under which the poster of this address is kept; also its version."""
    return hashlib.blake2b(address.encode(), digest_size=12).hexdigest()


def url_for(followed_id: object, address: str) -> str:
    """Our own address of a poster, for the user who follows it; "" when there is none.

    Args:
        followed_id: the watchlist item's id, or the series' own.
        address: where the picture comes from: the user's choice, else that of the series.
    """
    if not address:
        return ""
    return f"{reverse('poster', args=[followed_id])}?v={key_of(address)}"


def item_poster_url(item: WatchlistItem) -> str:
    """Our own address of an item's poster; its series has to be loaded with it."""
    return url_for(item.pk, item.poster_image or item.series.poster_url)


def preview_url(address: str) -> str:
    """Our own address of a poster found by a search, valid for a day; "" when there is none."""
    if not address:
        return ""
    signed = signing.dumps(address, salt=_SALT, compress=True)
    return f"{reverse('poster-preview')}?u={signed}"


def address_of_preview(signed: str) -> str | None:
    """The address that `preview_url` signed; None when it was forged or is too old."""
    try:
        address = signing.loads(signed, salt=_SALT, max_age=PREVIEW_SECONDS)
    except signing.BadSignature:
        return None
    return str(address)


def stored(address: str) -> bytes | None:
    """The finished poster, when it has been fetched."""
    try:
        return _file_of(address).read_bytes()
    except OSError:
        return None


def stored_or_fetched(address: str) -> bytes | None:
    """The poster for a page: at once, or after a short wait; None when it is not to be had now."""
    found = stored(address)
    if found is not None or _failed_lately(address):
        return found
    if not _page_seats.acquire(blocking=False):
        return None
    try:
        return _fetched_in_turn(address)
    finally:
        _page_seats.release()


def _fetched_in_turn(address: str) -> bytes | None:
    if not _page_slots.acquire(timeout=PAGE_SECONDS / 2):
        return None
    try:
        return stored(address) or fetch(address=address, deadline_seconds=PAGE_SECONDS)
    finally:
        _page_slots.release()


def fetch(*, address: str, deadline_seconds: float = WORKER_SECONDS) -> bytes | None:
    """Fetch, redraw and keep a poster. A failure is remembered for a while and gives None."""
    try:
        page = gateway.fetch_bytes(address, max_bytes=MAX_BYTES, deadline_seconds=deadline_seconds)
        poster = redraw(page.content)
    except ProviderError as error:
        _remember_failure(address, RETRY_SECONDS if error.retryable else RETRY_REFUSED_SECONDS)
        return None
    except NotAPicture:
        _remember_failure(address, RETRY_REFUSED_SECONDS)
        return None
    _write(_file_of(address), poster)
    _failure_of(address).unlink(missing_ok=True)
    return poster


def fetch_for_checks(*, check_ids: Iterable[str]) -> int:
    """Fetch the missing posters of the series that were just checked. Returns how many were new."""
    series = Series.objects.filter(checks__in=list(check_ids)).exclude(poster_url="")
    ends_at = time.monotonic() + BATCH_SECONDS
    count = 0
    for address in set(series.values_list("poster_url", flat=True)):
        if time.monotonic() > ends_at:
            break
        if not _file_of(address).is_file() and not _failed_lately(address):
            count += fetch(address=address) is not None
    return count


def forget_unused() -> int:
    """Delete posters that belong to nothing any more, and old failures. Returns how many."""
    used = set(Series.objects.exclude(poster_url="").values_list("poster_url", flat=True))
    own = WatchlistItem.objects.exclude(poster_image="")
    used |= set(own.values_list("poster_image", flat=True))
    keep = {f"{key_of(address)}.webp" for address in used}
    oldest = time.time() - UNUSED_SECONDS
    removed = 0
    for file in _folder().iterdir():
        if file.name in keep:
            continue
        # Another process renames or deletes files here, too.
        with contextlib.suppress(FileNotFoundError):
            if file.stat().st_mtime < oldest:
                file.unlink()
                removed += 1
    return removed


def redraw(content: bytes) -> bytes:
    """A 300x450 WebP without metadata, cut to fill. Raises NotAPicture."""
    if not _looks_like_picture(content):
        raise NotAPicture("The first bytes are not those of a picture.")
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as picture:
            _refuse_bomb(picture)
            picture.draft("RGB", (SIZE[0] * 2, SIZE[1] * 2))
            upright = ImageOps.exif_transpose(picture)
            flat = _without_transparency(upright)
            poster = ImageOps.fit(flat, SIZE, Image.Resampling.LANCZOS)
    except NotAPicture:
        raise
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        OverflowError,
        TypeError,
        IndexError,
    ) as error:
        # Decoders meet broken files with many kinds of exception; all of them mean this.
        raise NotAPicture("The picture cannot be read.") from error
    drawn = BytesIO()
    poster.save(drawn, "WEBP", quality=QUALITY, method=4)
    return drawn.getvalue()


def _refuse_bomb(picture: Image.Image) -> None:
    width, height = picture.size
    if not 0 < width * height <= MAX_PIXELS:
        raise NotAPicture("The picture has too many pixels.")


def _looks_like_picture(content: bytes) -> bool:
    if content.startswith(b"RIFF"):
        return content[8:12] == b"WEBP"
    if content[4:8] == b"ftyp":
        return content[8:12] in _AVIF_BRANDS
    return content.startswith(_MAGIC)


def _without_transparency(picture: Image.Image) -> Image.Image:
    if "transparency" not in picture.info and picture.mode not in _TRANSPARENT_MODES:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    paper = Image.new("RGBA", layer.size, (236, 238, 243, 255))
    paper.alpha_composite(layer)
    return paper.convert("RGB")


def _folder() -> Path:
    folder = Path(settings.DATA_DIR) / "posters"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _file_of(address: str) -> Path:
    return _folder() / f"{key_of(address)}.webp"


def _failure_of(address: str) -> Path:
    return _folder() / f"{key_of(address)}.failed"


def _failed_lately(address: str) -> bool:
    """Whether it failed and is not to be asked for again yet; the file's time says until when."""
    try:
        return _failure_of(address).stat().st_mtime > time.time()
    except OSError:
        return False


def _remember_failure(address: str, seconds: float) -> None:
    with contextlib.suppress(OSError):
        mark = _failure_of(address)
        mark.touch()
        until = time.time() + seconds
        os.utime(mark, (until, until))


def _write(path: Path, content: bytes) -> None:
    """Appear under the name only when whole; two that write the same poster do not meet."""
    with contextlib.suppress(OSError):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)

"""The checksum of a file, computed while its beginning is already there."""

from __future__ import annotations

from pathlib import Path
from threading import Event

_PIECE_BYTES = 1_048_576


def sha256_of(path: Path, stop: Event | None = None) -> str:
    """Hexadecimal SHA-256 of a file; an empty text when told to stop. Raises OSError."""
    import hashlib  # noqa: PLC0415 - brings a second OpenSSL, and not every caller wants a sum

    checksum = hashlib.sha256()
    buffer = memoryview(bytearray(_PIECE_BYTES))
    with path.open("rb", buffering=0) as content:
        while count := content.readinto(buffer):
            checksum.update(buffer[:count])
            if stop is not None and stop.is_set():
                return ""
    return checksum.hexdigest()

"""How static files are stored: hashed names for ever-lasting caches, compressed once."""

from __future__ import annotations

from typing import Any

import brotli
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

# Ours are all smaller; above are the libraries of the API's documentation page, on which the best
# level takes most of the first start and gains a tenth.
_LARGE_BYTES = 100_000
_BEST, _QUICK = 11, 5


class QuickCompressor(Compressor):  # type: ignore[misc] # whitenoise has no types
    """Does not spend seconds on what few people ever open."""

    @staticmethod
    def compress_brotli(data: bytes) -> bytes:
        """Brotli, the best level for all but large files."""
        quality = _BEST if len(data) < _LARGE_BYTES else _QUICK
        compressed: bytes = brotli.compress(data, quality=quality)
        return compressed


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # as above
    """Whitenoise's storage with our compressor."""

    def create_compressor(self, **options: Any) -> Compressor:
        """The compressor that `collectstatic` uses."""
        return QuickCompressor(**options)

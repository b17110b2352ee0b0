"""Where saved pages of the real sites are, for tests that check parsers against them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[4] / "shared" / "real-data"


def real_page(name: str) -> Path:
    """The file; skips the test, saying so, on a machine that does not have the folder."""
    folder = Path(os.environ.get("TSUZUKU_REAL_DATA", "") or _BESIDE_THE_CHECKOUT)
    path = folder / name
    if not path.is_file():
        pytest.skip(f"SAVED PAGES OF THE REAL SITES ARE NOT HERE ({path}): set TSUZUKU_REAL_DATA")
    return path

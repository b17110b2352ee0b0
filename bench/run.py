"""All benchmarks, one table each. Run: `make bench`, or `python bench/run.py [NAME ...]`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent
BENCHMARKS: Final = {
    "due": "due.py",
    "checks": "checks.py",
    "api": "api.py",
    "pages": "pages.py",
    "idle": "idle.py",
    "downloads": "downloads/run.py",
}


def main() -> int:
    """Run those that are named, or all; each in a process of its own."""
    names = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"No such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}.")
        return 2
    return max(subprocess.call([sys.executable, str(script_of(name))]) for name in names)


def script_of(name: str) -> Path:
    """The program of a benchmark."""
    return FOLDER / BENCHMARKS[name]


if __name__ == "__main__":
    raise SystemExit(main())

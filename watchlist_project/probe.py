"""Asks /healthz, for the health checks of containers.

`python -m watchlist_project.probe URL [PART...]` uses only the standard
library, so that asking every few seconds costs nothing. Exit 0 when every named
part (all when none is named) is well.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request


def is_well(url: str, parts: list[str]) -> bool:
    """Whether the server at `url` says "ok" for these parts of its health."""
    request = urllib.request.Request(f"{url}/healthz")  # noqa: S310 -- the caller's own server
    try:
        with urllib.request.urlopen(request, timeout=4) as answer:  # noqa: S310 -- as above
            health = json.load(answer)
    except urllib.error.HTTPError as error:
        # An unwell server says what is wrong in the body of its 503.
        health = json.load(error)
    return all(health.get(part) == "ok" for part in parts or ["status"])


def main() -> int:
    """The exit code."""
    if len(sys.argv) < 2:  # noqa: PLR2004 -- the program's own name and the address
        sys.stderr.write("usage: python -m watchlist_project.probe URL [PART...]\n")
        return 2
    try:
        return 0 if is_well(sys.argv[1], sys.argv[2:]) else 1
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    raise SystemExit(main())

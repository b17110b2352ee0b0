"""`python -m downloads.engine URL DIR`: the engine without the rest of the program."""

from __future__ import annotations

import os
import sys

from downloads.engine.cli import main

if __name__ == "__main__":
    sys.exit(main(allowed=os.environ.get("ALLOWED_PRIVATE_HOSTS", "").split(",")))

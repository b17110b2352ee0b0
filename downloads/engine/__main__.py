"""`python -m downloads.engine URL DIR`: the engine without the rest of the program."""

from __future__ import annotations

import os

from downloads.engine.cli import leave, main

if __name__ == "__main__":
    leave(main(allowed=os.environ.get("ALLOWED_PRIVATE_HOSTS", "").split(",")))

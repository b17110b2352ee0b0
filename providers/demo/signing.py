"""Links that hold for a while, as video hosts give them out."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time


class LinkSigner:
    """Signs and checks links; `expire` makes all that were given out invalid."""

    def __init__(self) -> None:
        self.valid_seconds = 600.0
        self._secret = secrets.token_bytes(16)

    def signed(self, name: str) -> str:
        """A token for a file, with the moment of its end in it."""
        end = f"{time.time() + self.valid_seconds:.0f}"
        return f"{self._digest(name, end)}-{end}"

    def is_valid(self, name: str, token: str) -> bool:
        """Whether a token is for this file and still holds."""
        digest, _, end = token.partition("-")
        is_ours = hmac.compare_digest(digest.encode(), self._digest(name, end).encode())
        return is_ours and float(end) > time.time()

    def expire(self) -> None:
        """End all links now; those given out from now on hold again."""
        self._secret = secrets.token_bytes(16)

    def _digest(self, name: str, end: str) -> str:
        return hmac.new(self._secret, f"{name} {end}".encode(), hashlib.sha256).hexdigest()[:32]

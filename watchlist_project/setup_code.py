"""The one-time code that guards the creation of the first account; only its hash is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model

# No 0, O, 1, I: the code is read from a log and typed.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_GROUPS, _GROUP_LENGTH = 4, 4


def ensure_code() -> str | None:
    """A new code when no account exists yet, for the log; None when there is one.

    A code that was given out before is worth nothing afterwards.
    """
    if get_user_model().objects.exists():
        clear_code()
        return None
    groups = (
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )
    code = "-".join(groups)
    draft = _path().with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(_digest(code), encoding="ascii")
    draft.replace(_path())
    return code


def check_code(text: str) -> bool:
    """Whether this is the code that is valid now; case, spaces and dashes do not matter."""
    try:
        expected = _path().read_text(encoding="ascii").strip()
    except OSError:
        return False
    return hmac.compare_digest(_digest(text), expected)


def clear_code() -> None:
    """No code is valid any more."""
    _path().unlink(missing_ok=True)


def _path() -> Path:
    return Path(settings.DATA_DIR) / "setup_code"


def _digest(code: str) -> str:
    # The code carries 80 random bits, so a plain hash cannot be searched.
    letters = "".join(letter for letter in code.upper() if letter.isalnum())
    return hashlib.sha256(letters.encode()).hexdigest()

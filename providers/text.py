"""Making text from outside safe to store, show and use as a file name; plain Python."""

from __future__ import annotations

import re
import unicodedata

from pathvalidate import sanitize_filename

MAX_NAME_BYTES = 180
# Control characters, lone surrogates, bidirectional marks, invisible fillers and the code points
# that are no characters: what XML 1.0, Postgres or a reader's eye cannot take.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb"
    "\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    + "".join(
        f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000)
    )
    + "]"
)
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r" ?\n ?(?:\n ?)+")
_NAME_REPLACEMENTS = str.maketrans(
    {"/": "-", "\\": "-", '"': "'", "<": "", ">": "", "|": "-", "?": "", "*": ""}
)


def clean_text(text: str, max_length: int, *, multiline: bool = False) -> str:
    """Text that every database, XML document and page can hold; applying it twice changes nothing.

    NFC, without control, bidirectional and invisible characters, white space folded to single
    blanks, at most `max_length` characters. With `multiline`, single and double line breaks stay.
    """
    if not text.isascii() or not text.isprintable():
        text = unicodedata.normalize("NFC", _FORBIDDEN.sub("", text[: 8 * max_length + 1000]))
    if multiline:
        text = _SPACES.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
        text = _BLANK_LINES.sub("\n\n", text).replace(" \n", "\n").replace("\n ", "\n").strip()
    else:
        text = " ".join(text.split())
    return text[:max_length].rstrip()


def safe_name(text: str, fallback: str, *, max_bytes: int = MAX_NAME_BYTES) -> str:
    """One path component, without an extension, that every file system takes.

    Never empty, a dot name, a reserved device name, an option or a hidden file; at most `max_bytes`
    of UTF-8, and applying it twice changes nothing. `fallback` is used when nothing is left.
    """
    return _safe_name(text, max_bytes) or _safe_name(fallback, max_bytes) or "unnamed"


def _safe_name(text: str, max_bytes: int) -> str:
    name = clean_text(text, 4 * max_bytes).replace(": ", " - ").replace(":", "-")
    name = name.translate(_NAME_REPLACEMENTS)
    while True:
        before = name
        name = str(sanitize_filename(name, platform="universal", max_len=4 * max_bytes))
        name = " ".join(name.split()).lstrip(" .-~_").rstrip(" .")
        name = name.encode()[:max_bytes].decode(errors="ignore").rstrip(" .")
        if name == before:
            return name

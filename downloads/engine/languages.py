"""Names of languages as MP4 and Matroska want them: three letters (ISO 639-2)."""

from __future__ import annotations

import re

# ISO 639-1 to ISO 639-2/T, for the languages in which series are dubbed or subtitled.
_THREE_LETTERS = {
    "ar": "ara", "bg": "bul", "ca": "cat", "cs": "ces", "da": "dan", "de": "deu", "el": "ell",
    "en": "eng", "es": "spa", "et": "est", "eu": "eus", "fa": "fas", "fi": "fin", "fr": "fra",
    "he": "heb", "hi": "hin", "hr": "hrv", "hu": "hun", "id": "ind", "it": "ita", "ja": "jpn",
    "ko": "kor", "lt": "lit", "lv": "lav", "ms": "msa", "nb": "nob", "nl": "nld", "no": "nor",
    "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus", "sk": "slk", "sl": "slv", "sr": "srp",
    "sv": "swe", "ta": "tam", "te": "tel", "th": "tha", "tr": "tur", "uk": "ukr", "vi": "vie",
    "zh": "zho",
}  # fmt: skip
_LETTERS = re.compile(r"([a-z]{2,3})(?![a-z])", re.IGNORECASE)


def three_letters(tag: str) -> str:
    """The code for a language tag such as `fr-FR` (RFC 5646); empty when it is not known."""
    match = _LETTERS.match(tag)
    code = match[1].lower() if match is not None else ""
    return _THREE_LETTERS.get(code, code if len(code) == 3 else "")  # noqa: PLR2004 - letters

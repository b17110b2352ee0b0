"""What went wrong, in the reader's language: a few words for a card, a whole sentence elsewhere.

Providers, hosts and the engine are plain Python: they raise a stable code with a plain English
text. Pages say the sentence of the code, and show that text only as a technical detail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.text import capfirst
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from providers.errors import ProviderError


@dataclass(frozen=True, slots=True)
class Fault:
    """The words for one code, to be translated."""

    short: str  # begins like a sentence and has no full stop
    clause: str  # goes on after a colon: a small letter, no full stop


_OTHER: Final = Fault(
    gettext_noop("It failed"), gettext_noop("something went wrong that has no name of its own")
)
_FAULTS: Final = {
    "unreachable": Fault(
        gettext_noop("The provider did not answer"),
        gettext_noop("the site did not answer, or its answer broke off"),
    ),
    "rate_limited": Fault(
        gettext_noop("The provider asks us to wait"),
        gettext_noop("the site has had too many requests and asks us to wait"),
    ),
    "blocked": Fault(
        gettext_noop("The provider blocks us"),
        gettext_noop("the site refuses us, or asks for proof of being human"),
    ),
    "egress_refused": Fault(
        gettext_noop("The address may not be visited"),
        gettext_noop("the address leads into a private network, or is no web address"),
    ),
    "not_found": Fault(
        gettext_noop("The page is gone"),
        gettext_noop("the page or the file is no longer there"),
    ),
    "layout_changed": Fault(
        gettext_noop("The provider's page has changed"),
        gettext_noop("the site has changed, and its page can no longer be read"),
    ),
    "too_large": Fault(
        gettext_noop("The answer was too large"),
        gettext_noop("the answer is larger than such a page may be"),
    ),
    "suspect_list": Fault(
        gettext_noop("The list came back empty or shorter"),
        gettext_noop(
            "the list of episodes came back empty or much shorter, so nothing was changed"
        ),
    ),
    "not_a_series": Fault(
        gettext_noop("This is not the page of a series"),
        gettext_noop("the address is not that of a series of this provider"),
    ),
    "unsupported_host": Fault(
        gettext_noop("No usable player"),
        gettext_noop("there is no reader for this video host"),
    ),
    "no_usable_player": Fault(
        gettext_noop("No usable player"),
        gettext_noop("none of the players gave a playable file"),
    ),
    "licensed": Fault(
        gettext_noop("Licensed: not offered by the provider"),
        gettext_noop("the series is licensed, and the provider does not offer it"),
    ),
    "protected": Fault(
        gettext_noop("Protected video (DRM)"),
        gettext_noop("the video is protected (DRM) and is left alone"),
    ),
    "unknown_provider": Fault(
        gettext_noop("Unknown provider"),
        gettext_noop("this version of the program does not know the provider"),
    ),
    "provider_disabled": Fault(
        gettext_noop("The provider is switched off"),
        gettext_noop("an administrator has switched the provider off"),
    ),
    "backing_off": Fault(
        gettext_noop("The provider is left alone for a while"),
        gettext_noop("the provider failed lately and is left alone for a while"),
    ),
    "busy": Fault(
        gettext_noop("Too much is being asked just now: try again in a moment"),
        gettext_noop("too many requests wait for providers just now; try again in a moment"),
    ),
    "connection_failed": Fault(
        gettext_noop("The connection failed"),
        gettext_noop("the connection to the video host failed again and again"),
    ),
    "server_refused": Fault(
        gettext_noop("The host refused the file"),
        gettext_noop("the video host refused to send the file"),
    ),
    "too_many_requests": Fault(
        gettext_noop("The host asks us to wait"),
        gettext_noop("the video host has had too many requests and asks us to wait"),
    ),
    "not_a_video": Fault(
        gettext_noop("Not a playable video"),
        gettext_noop("what came is not a playable video"),
    ),
    "wrong_length": Fault(
        gettext_noop("The file has the wrong length"),
        gettext_noop("the file is shorter or longer than was announced"),
    ),
    "bad_playlist": Fault(
        gettext_noop("The stream cannot be read"),
        gettext_noop("the list of the stream's parts is broken or goes beyond all bounds"),
    ),
    "live_stream": Fault(
        gettext_noop("A live stream"),
        gettext_noop("it is a live stream, which has no end"),
    ),
    "disk_low": Fault(
        gettext_noop("The disk is nearly full"),
        gettext_noop("there is too little free space on the disk"),
    ),
    "folder_unwritable": Fault(
        gettext_noop("The library cannot be written"),
        gettext_noop("the folder is missing, read-only or over its quota"),
    ),
    "folder_busy": Fault(
        gettext_noop("Another worker is at it"),
        gettext_noop("another worker is still writing this download"),
    ),
    "name_taken": Fault(
        gettext_noop("A file of this name exists already"),
        gettext_noop("another file has this name in the library, and is not touched"),
    ),
    "worker_lost": Fault(
        gettext_noop("The worker has gone"),
        gettext_noop("the worker that had it in hand has gone; another one goes on"),
    ),
    "interrupted": Fault(
        gettext_noop("Interrupted"),
        gettext_noop("it was interrupted, and goes on where it was"),
    ),
    "provider_error": Fault(
        gettext_noop("The provider could not be read"),
        gettext_noop("the provider could not be read"),
    ),
    "engine_error": Fault(
        gettext_noop("The download broke off"),
        gettext_noop("the download broke off"),
    ),
}
CODES: Final = frozenset(_FAULTS)


def short(code: str) -> str:
    """A few words, for a card or a line of history: "The provider did not answer"."""
    return _(_FAULTS.get(code, _OTHER).short)


def clause(code: str) -> str:
    """What goes on after a colon: "the site did not answer, or its answer broke off"."""
    return _(_FAULTS.get(code, _OTHER).clause)


def sentence(code: str) -> str:
    """A sentence that stands by itself."""
    return f"{capfirst(clause(code))}."


def told(error: ProviderError) -> str:
    """What to tell whoever asked: the error's own words say more, but they are English."""
    is_english = (get_language() or "en").startswith("en")
    return str(error) if is_english else sentence(error.code)

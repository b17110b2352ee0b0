"""A sentence for each reason code, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils import formats, timezone
from django.utils.translation import get_language, gettext_noop, ngettext
from django.utils.translation import gettext as _

from watchlist.decisions import Reason

_SENTENCES: dict[Reason, str] = {
    Reason.WANTED: gettext_noop("Wanted: it will be queued for download."),
    Reason.QUEUED: gettext_noop("Wanted and queued: it starts next."),
    Reason.IN_LIBRARY: gettext_noop("Already in the library."),
    Reason.BELOW_START: gettext_noop(
        "Below the start point: you follow from after episode %(start)s."
    ),
    Reason.SPECIAL_BEFORE_START: gettext_noop("A special from before you began to follow."),
    Reason.AUTO_OFF_FOR_SERIES: gettext_noop("Automatic download is off for this series."),
    Reason.AUTO_OFF_FOR_EVERYBODY: gettext_noop(
        "Automatic download is switched off for everybody by an administrator."
    ),
    Reason.ITEM_PAUSED: gettext_noop("The series is paused."),
    Reason.ITEM_COMPLETED: gettext_noop("The series is marked as completed."),
    Reason.ITEM_ARCHIVED: gettext_noop("The series is archived."),
    Reason.IGNORED: gettext_noop("You chose to ignore this episode."),
    Reason.RUNNING: gettext_noop("It is being downloaded now."),
    Reason.WAITING_FOR_WINDOW: gettext_noop("Waiting for the hours in which downloads may run."),
    Reason.NO_USABLE_PLAYER: gettext_noop("No usable player: %(error)s"),
    Reason.PROVIDER_BLOCKED: gettext_noop("The provider blocks us: %(error)s"),
    Reason.PROVIDER_OFF: gettext_noop("The provider is switched off by an administrator."),
    Reason.PROVIDER_UNREACHABLE: gettext_noop("Waiting for the provider: %(error)s"),
    Reason.LICENSED: gettext_noop("The series is licensed; the provider does not offer it."),
    Reason.PROTECTED: gettext_noop("The video is protected (DRM) and is left alone."),
    Reason.DISK_LOW: gettext_noop("The disk is nearly full: it goes on when there is room."),
    Reason.FOLDER_UNWRITABLE: gettext_noop("The library folder cannot be written: %(error)s"),
    Reason.NAME_TAKEN: gettext_noop("Another file already has this name in the library: %(error)s"),
    Reason.PAUSED_BY_USER: gettext_noop("Paused by hand."),
    Reason.CANCELLED_BY_USER: gettext_noop("Cancelled by you."),
    Reason.FAILED: gettext_noop("The download failed: %(error)s"),
}


def sentence(code: str, facts: Mapping[str, str | int]) -> str:
    """One plain sentence that says why, in the active language and time zone."""
    if code == Reason.WAITING_FOR_SLOT:
        cap = int(facts.get("cap", 1))
        return ngettext(
            "Waiting for a free slot: %(cap)s download runs at a time.",
            "Waiting for a free slot: %(cap)s downloads run at a time.",
            cap,
        ) % {"cap": cap}
    if code == Reason.WAITING_AFTER_FAILURE:
        return _("Waiting after a failure until %(until)s: %(error)s") % {
            "until": _clock(str(facts["until"])),
            "error": facts.get("error", ""),
        }
    return _(_SENTENCES[Reason(code)]) % _Missing(facts)


def _clock(iso: str) -> str:
    moment = timezone.localtime(datetime.fromisoformat(iso))
    if moment.date() == timezone.localdate():
        return formats.time_format(moment, "H:i")
    return formats.date_format(moment, "SHORT_DATETIME_FORMAT")


class _Missing(dict[str, str | int]):
    """Lets a sentence be made from facts that an older version stored."""

    def __missing__(self, key: str) -> str:
        return ""


# Adapters and the engine are plain Python and speak English; readers of another language get the
# sentence of the code instead of the detail.
_ERRORS: dict[str, str] = {
    "unreachable": gettext_noop("The site did not answer properly."),
    "rate_limited": gettext_noop("The site asks us to slow down."),
    "blocked": gettext_noop("The site blocks us, or asks for a human."),
    "egress_refused": gettext_noop("The address may not be reached from this server."),
    "not_found": gettext_noop("The page or file is not there."),
    "layout_changed": gettext_noop("The site has changed and could not be read."),
    "too_large": gettext_noop("The answer was larger than such a page may be."),
    "suspect_list": gettext_noop("The list came back empty or much shorter; nothing was changed."),
    "not_a_series": gettext_noop("The address is not a series of this provider."),
    "unsupported_host": gettext_noop("There is no reader for this video host."),
    "licensed": gettext_noop("The series is licensed and not offered."),
    "protected": gettext_noop("The video is protected (DRM) and is left alone."),
    "provider_disabled": gettext_noop("The provider is switched off."),
    "backing_off": gettext_noop("The provider failed lately and is left alone for a while."),
    "connection_failed": gettext_noop("The connection failed again and again."),
    "server_refused": gettext_noop("The server refused the file."),
    "too_many_requests": gettext_noop("The server asks us to slow down."),
    "not_a_video": gettext_noop("The file is no playable video."),
    "wrong_length": gettext_noop("The file has the wrong length."),
    "bad_playlist": gettext_noop("The playlist is broken."),
    "live_stream": gettext_noop("It is a live stream, which has no end."),
    "disk_low": gettext_noop("There is too little free space."),
    "folder_unwritable": gettext_noop("The library folder cannot be written."),
    "folder_busy": gettext_noop("Another worker is still writing this download."),
    "name_taken": gettext_noop("Another file already has this name in the library."),
    "no_usable_player": gettext_noop("None of the players gave a playable file."),
    "worker_lost": gettext_noop("The worker has gone; another one goes on."),
}


def error_text(code: str, text: str) -> str:
    """An error in the reader's language; in English with its detail."""
    if (get_language() or "en").startswith("en") or code not in _ERRORS:
        return text
    return _(_ERRORS[code])

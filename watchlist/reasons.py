"""A sentence for each reason code, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext, pgettext

from watchlist import faults
from watchlist.decisions import Reason

_SENTENCES: dict[Reason, str] = {
    Reason.WANTED: gettext_noop("Wanted: it will be queued for download."),
    Reason.QUEUED: gettext_noop("Wanted and queued: it starts next."),
    Reason.IN_LIBRARY: gettext_noop("Already in the library."),
    Reason.KEPT_IN_LIBRARY: gettext_noop(
        "The library had this episode already, from another site; that file is kept."
    ),
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
    Reason.NOT_LISTED: gettext_noop(
        "The provider does not list it now; it is downloaded once it is there again."
    ),
    Reason.RUNNING: gettext_noop("It is being downloaded now."),
    Reason.WAITING_FOR_WINDOW: gettext_noop("Waiting for the hours in which downloads may run."),
    Reason.NO_USABLE_PLAYER: gettext_noop("No usable player: %(error)s."),
    Reason.PROVIDER_BLOCKED: gettext_noop("The provider blocks us: %(error)s."),
    Reason.PROVIDER_OFF: gettext_noop("The provider is switched off by an administrator."),
    Reason.PROVIDER_UNREACHABLE: gettext_noop("Waiting for the provider: %(error)s."),
    Reason.LICENSED: gettext_noop("The series is licensed; the provider does not offer it."),
    Reason.PROTECTED: gettext_noop("The video is protected (DRM) and is left alone."),
    Reason.DISK_LOW: gettext_noop("The disk is nearly full: it goes on when there is room."),
    Reason.FOLDER_UNWRITABLE: gettext_noop("The library folder cannot be written: %(error)s."),
    Reason.NAME_TAKEN: gettext_noop(
        "Another file already has this name in the library; it is not touched."
    ),
    Reason.PAUSED_BY_USER: gettext_noop("Paused by hand."),
    Reason.CANCELLED_BY_USER: gettext_noop("Cancelled by you."),
    Reason.FAILED: gettext_noop("The download failed: %(error)s."),
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
        return _("Waiting after a failure until %(until)s: %(error)s.") % {
            "until": _clock(str(facts["until"])),
            "error": _error(facts),
        }
    if code == Reason.BELOW_START and "season" in facts:
        return _(
            "Below the start point: you follow from after episode %(start)s of season %(season)s."
        ) % {"start": facts["start"], "season": facts["season"]}
    return _(_SENTENCES[Reason(code)]) % _Missing({**facts, "error": _error(facts)})


def _error(facts: Mapping[str, str | int]) -> str:
    """The recorded text is English and often technical; its code has words in every language."""
    return faults.clause(str(facts.get("code", "")))


def _clock(iso: str) -> str:
    moment = timezone.localtime(datetime.fromisoformat(iso))
    clock = formats.time_format(moment, "H:i")
    if moment.date() == timezone.localdate():
        return clock
    return f"{formats.date_format(moment, pgettext('date format', 'j M'))} {clock}"


class _Missing(dict[str, str | int]):
    """Lets a sentence be made from facts that an older version stored."""

    def __missing__(self, key: str) -> str:
        return ""

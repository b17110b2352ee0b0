"""The history of one followed series: its checks and its downloads, newest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from downloads.models import DownloadAttempt
from downloads.states import State
from watchlist import faults, reasons
from watchlist.decisions import Reason, plain_number
from watchlist.models import CheckStatus, CheckTrigger, WatchlistItem
from watchlist.pages import wording
from watchlist.selectors.checks import CheckRow, checks_of
from watchlist.selectors.downloads import DownloadQuery, DownloadRow, downloads_of

SHOWN: Final = 40
_QUIET: Final = "check"  # the icon of a check that found nothing


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the series."""

    at: datetime
    icon: str
    level: str
    text: str
    details: tuple[str, ...]
    technical: str = ""  # in English, for whoever looks into it


def history_of(user: User, item: WatchlistItem) -> list[Event]:
    """The latest checks and downloads."""
    checks = [_check(row) for row in checks_of(item)[:SHOWN]]
    rows = downloads_of(user, DownloadQuery(item_id=item.pk))[:SHOWN]
    attempts = _attempts([row.id for row in rows])
    downloads = [_download(row, attempts[row.id]) for row in rows]
    events = sorted([*checks, *downloads], key=lambda event: event.at, reverse=True)
    return list(_without_echoes(events))


def _without_echoes(events: Sequence[Event]) -> Iterator[Event]:
    """Checks that found nothing, one after the other, become one line."""
    for _key, run in groupby(events, lambda one: one.text if one.icon == _QUIET else id(one)):
        latest, *others = run
        if others:
            facts = {"n": len(others) + 1, "when": wording.moment(others[-1].at)}
            latest = replace(latest, details=(_("%(n)d times since %(when)s") % facts,))
        yield latest


def _attempts(download_ids: Sequence[Any]) -> dict[Any, list[DownloadAttempt]]:
    found: dict[Any, list[DownloadAttempt]] = defaultdict(list)
    for attempt in DownloadAttempt.objects.filter(download__in=download_ids):
        found[attempt.download_id].append(attempt)
    return found


def _check(row: CheckRow) -> Event:
    at = row.finished_at or row.started_at or row.created_at
    by_hand = row.trigger != CheckTrigger.SCHEDULED
    name = _("Check by hand") if by_hand else pgettext("an event", "Check")
    if row.status == CheckStatus.FAILED:
        text = wording.about(name, faults.short(row.error_code))
        why = faults.sentence(row.error_code)
        return Event(at, "triangle-alert", "error", text, (why,), row.error_text)
    if row.status != CheckStatus.SUCCEEDED:
        return Event(at, "refresh-cw", "busy", wording.about(name, _("running")), ())
    count = len(row.new_episodes)
    if not count:
        return Event(at, _QUIET, "idle", wording.about(name, _("nothing new")), ())
    found = ngettext("%(n)d new episode", "%(n)d new episodes", count) % {"n": count}
    numbers = ", ".join(plain_number(one.number) for one in row.new_episodes[:12])
    return Event(at, "sparkles", "new", wording.about(name, found), (numbers,))


def _download(row: DownloadRow, attempts: list[DownloadAttempt]) -> Event:
    at = row.finished_at or row.started_at or row.created_at
    episode = _("Episode %(number)s") % {"number": plain_number(row.episode_number)}
    tried = tuple(
        wording.about(one.source_label, faults.short(one.error_code))
        for one in attempts
        if one.error_code
    )
    if row.state is State.COMPLETED:
        facts = " · ".join(
            part for part in (row.quality, wording.size(row.size_bytes or 0)) if part
        )
        text = _("%(episode)s is in the library") % {"episode": episode}
        kept = reasons.sentence(Reason.KEPT_IN_LIBRARY, {}) if row.kept_text else ""
        details = (facts, row.path or "", kept)
        return Event(at, "circle-check", "ok", text, details, row.kept_text)
    if row.state is State.FAILED:
        text = _("%(episode)s failed: %(error)s") % {
            "episode": episode,
            "error": faults.short(row.error_code),
        }
        return Event(at, "triangle-alert", "error", text, tried)
    if row.state is State.CANCELLED:
        text = _("%(episode)s was cancelled") % {"episode": episode}
        return Event(at, "ban", "idle", text, ())
    return Event(
        at, "download", "busy", _("%(episode)s is on its way") % {"episode": episode}, tried
    )

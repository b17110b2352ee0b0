"""A followed series in words: badge, second line and figures of cards, rows and heads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Final

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from downloads.states import State
from providers import gateway
from providers.types import AiringStatus
from watchlist import faults
from watchlist.decisions import plain_number
from watchlist.headlines import Headline, OpenDownload
from watchlist.models import ItemStatus
from watchlist.pages import wording
from watchlist.pages.icons import icon
from watchlist.selectors.watchlist_page import Details, Entry, add_details
from watchlist.services.posters import url_for


@dataclass(frozen=True, slots=True)
class Look:
    """How a headline is written and coloured."""

    label: str  # to be translated
    icon: str
    level: str  # what `data-s` says


LOOKS: Final = {
    Headline.FAILED: Look(gettext_noop("Failed"), "triangle-alert", "error"),
    Headline.DOWNLOADING: Look(gettext_noop("Downloading"), "download", "busy"),
    Headline.NEW: Look(gettext_noop("New"), "sparkles", "new"),
    Headline.LATE: Look(gettext_noop("Late"), "clock-alert", "wait"),
    Headline.BEHIND: Look(gettext_noop("To download"), "inbox", "wait"),
    Headline.UPCOMING: Look(gettext_noop("Upcoming"), "calendar", "idle"),
    Headline.CURRENT: Look(gettext_noop("Up to date"), "check", "ok"),
    Headline.PAUSED: Look(gettext_noop("Paused"), "pause", "paused"),
    Headline.COMPLETE: Look(gettext_noop("Complete"), "circle-check", "idle"),
}
# The names of sites are proper names; this one is not.
_TRANSLATED_NAMES: Final = {"feed": gettext_lazy("RSS / Atom feed")}
_LOUD: Final = frozenset({"error", "busy", "new", "wait"})


@dataclass(frozen=True, slots=True)
class Card:
    """What a template needs of one series, as text: a list has many, and computes nothing more."""

    id: str
    url: str  # of its page; what is done to it is below
    title: str
    lang: str
    provider: str
    poster: str
    initials: str
    level: str
    icon: SafeString
    label: str
    line: str
    is_loud: bool
    is_paused: bool
    toggle: str  # what the first button does: pause or resume
    is_checking: bool
    have: str
    known: str
    counted: str  # both of them in words
    longest: str  # what the bar goes to; never 0
    checked: str  # how long ago


def cards_of(entries: list[Entry]) -> list[Card]:
    """The cards of entries, in their order."""
    add_details(entries)
    return [_card(entry, entry.details) for entry in entries if entry.details is not None]


def _card(entry: Entry, details: Details) -> Card:
    look = LOOKS[entry.headline]
    is_paused = entry.status == ItemStatus.PAUSED
    return Card(
        id=str(entry.id),
        url=f"{_list_url()}/{entry.id}",
        title=entry.title,
        lang=details.lang.upper(),
        provider=provider_name(entry.provider_id),
        poster=url_for(entry.id, details.poster),
        initials=initials_of(entry.title),
        level="busy" if details.is_checking else look.level,
        icon=icon("refresh-cw", "spin") if details.is_checking else icon(look.icon),
        label=_("Checking") if details.is_checking else _label(entry, look),
        line=_line(entry, details),
        is_loud=look.level in _LOUD,
        is_paused=is_paused,
        toggle="resume" if is_paused else "pause",
        is_checking=details.is_checking,
        have=str(details.have),
        known=str(entry.known) if entry.known else "?",
        counted=_("%(have)s of %(known)s episodes") % {"have": details.have, "known": entry.known},
        longest=str(entry.known or 1),
        checked=wording.ago(details.checked_at) if details.checked_at else "",
    )


@lru_cache(maxsize=1024)
def html_of(
    card: Card,
    *,
    template: str,
    language: str,
    picking: bool = False,
    is_swapped: bool = False,
    is_lazy: bool = True,
) -> SafeString:
    """A card as `template` writes it; kept, because most of a list is as it was a moment ago.

    Args:
        card: all that the template shows.
        template: of a card or a row.
        language: the active one.
        picking: whether the card can be ticked instead of having buttons of its own.
        is_swapped: whether htmx puts it where the card of the same id stands.
        is_lazy: whether its poster may wait until it is scrolled to.
    """
    del language  # the template asks for it by itself; here it only tells two texts apart
    shown = {"card": card, "picking": picking, "oob": is_swapped, "is_lazy": is_lazy}
    return render_to_string(template, shown)


def initials_of(title: str) -> str:
    """One or two letters that stand for a title without a poster."""
    words = [word for word in title.split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "?"


def provider_name(provider_id: str) -> str:
    """What people call a provider."""
    name = _TRANSLATED_NAMES.get(provider_id)
    return str(name) if name else _provider_names().get(provider_id, provider_id)


@cache
def _list_url() -> str:
    # Asking for the address of each of many cards costs more than all the rest of them.
    return reverse("watchlist")


@cache
def _provider_names() -> dict[str, str]:
    # Names belong to the code of the adapters, so they are asked for once in a process's life.
    return {one.id: one.name for one in gateway.describe()}


def _label(entry: Entry, look: Look) -> str:
    download = entry.shown_download
    if entry.headline is Headline.FAILED:
        return _("Check failed") if entry.error_code else _("Download failed")
    if entry.headline is Headline.DOWNLOADING and download and not download.is_running:
        held = {State.PAUSED: _("On hold"), State.BLOCKED: _("Waiting")}
        return held.get(download.state) or _("Queued")
    news = entry.details.news if entry.details else None
    if entry.headline is Headline.NEW and news and news.count > 1:
        return f"{_(look.label)} · {news.count}"
    if entry.status == ItemStatus.ARCHIVED and entry.headline is Headline.COMPLETE:
        return _("Archived")
    return _(look.label)


def _line(entry: Entry, details: Details) -> str:
    """The second line: why, and what comes next."""
    if entry.headline is Headline.FAILED:
        return _failure(entry, details.next_check_at)
    if entry.headline is Headline.DOWNLOADING and entry.shown_download:
        return _download(entry, entry.shown_download)
    if entry.headline is Headline.NEW and details.news:
        return _join(_episode(details.news.last), wording.moment(details.news.at))
    if entry.headline is Headline.PAUSED:
        return _("Paused %(day)s") % {"day": wording.day(details.status_changed_at)}
    if entry.headline is Headline.COMPLETE:
        ended = entry.airing_status == AiringStatus.FINISHED
        return _("Ended") if ended else _("Closed by you")
    return _expectation(entry, details)


def _failure(entry: Entry, retry: datetime | None) -> str:
    if entry.error_code:
        again = _("retry %(when)s") % {"when": wording.moment(retry)} if retry else ""
        return _join(faults.short(entry.error_code), again)
    download = entry.shown_download
    if download is None:
        return ""
    episode = _placed(entry, download.season, download.number)
    return _join(episode, faults.short(download.reason_code))


def _download(entry: Entry, download: OpenDownload) -> str:
    episode = _placed(entry, download.season, download.number)
    if download.is_running:
        return _join(episode, *_progress(download))
    if download.state is State.PAUSED:
        return _join(episode, _("paused by hand"))
    if download.state is State.BLOCKED:
        return _join(episode, faults.short(download.reason_code))
    if download.not_before:
        again = _("next try %(when)s") % {"when": wording.moment(download.not_before)}
        return _join(episode, again)
    more = len(entry.downloads) - 1
    following = ngettext("%(count)d more", "%(count)d more", more) % {"count": more}
    return _join(episode, _("waits for its turn"), following if more else "")


def _progress(download: OpenDownload) -> list[str]:
    if download.state is State.RESOLVING:
        return [_("looking for a player")]
    if download.state is State.IMPORTING:
        return [_("moving into the library")]
    if not download.bytes_total:
        return [wording.size(download.bytes_done)] if download.bytes_done else []
    left = "" if download.eta_seconds is None else wording.left(download.eta_seconds)
    return [wording.percent(download.bytes_done, download.bytes_total), left]


def _expectation(entry: Entry, details: Details) -> str:
    if entry.headline is Headline.UPCOMING:
        if entry.airing_status == AiringStatus.UPCOMING:
            return _("Not out yet")
        return _("No episode yet") if details.checked_at else _("Waiting for its first check")
    latest = _placed(entry, entry.latest_season, entry.latest_episode)
    if entry.headline is Headline.BEHIND:
        off = _("auto-download is off") if not details.auto_download else _("not downloaded")
        return _join(latest, off)
    if entry.guess is None:
        return _join(latest, wording.day(entry.latest_at) if entry.latest_at else "")
    if entry.headline is Headline.LATE:
        return _join(latest, _("next expected %(day)s") % {"day": wording.ago(entry.guess.at)})
    return _join(latest, _("next about %(day)s") % {"day": wording.day(entry.guess.at)})


def _episode(number: str) -> str:
    return _("Ep %(number)s") % {"number": number} if number else ""


def _placed(entry: Entry, season: int | None, number: Decimal | None) -> str:
    """An episode by its number, and by its season where numbers begin again with each."""
    if number is None:
        return ""
    if entry.has_seasons:
        return _("S%(season)s Ep %(number)s") % {"season": season, "number": plain_number(number)}
    return _episode(plain_number(number))


def _join(*parts: str) -> str:
    return " · ".join(part for part in parts if part)

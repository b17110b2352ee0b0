"""The calendar as iCalendar (RFC 5545): what its events say, and how they are written."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from providers.text import clean_text
from watchlist.decisions import plain_number
from watchlist.pages import wording
from watchlist.selectors.calendar import Arrival, Day, Expected

NAME: Final = "Tsuzuku"
PRODUCT: Final = "-//Tsuzuku//Calendar//EN"
MAX_EVENTS: Final = 500
MAX_TITLE: Final = 200
REFRESH: Final = timedelta(hours=1)
# An arrival is a moment, and programs draw nothing where nothing lasts.
_SHOWN_FOR: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Event:
    """One arrival or expectation, in the reader's words."""

    uid: uuid.UUID  # the same for as long as it is about the same
    lang: str
    summary: str
    description: str
    path: str  # of the series' page
    starts: date  # a datetime in UTC, or a whole day
    ends: date
    is_guess: bool
    sequence: int  # rises when it is put off
    changed_at: datetime


def events_of(days: Iterable[Day], *, zone: tzinfo, now: datetime) -> list[Event]:
    """The events of these days in their order; of very many those around `now`."""
    today = now.astimezone(zone).date()
    found: list[tuple[date, Arrival | Expected]] = []
    for day in days:
        found += [(day.day, arrival) for arrival in day.arrivals]
        found += [(day.day, expected) for expected in day.expected]
    # Sorting keeps the order of those that are alike.
    nearest = sorted(found, key=lambda pair: abs(pair[0] - today))[:MAX_EVENTS]
    return [_event(one, day, zone) for day, one in sorted(nearest, key=lambda pair: pair[0])]


def digest_of(events: Sequence[Event]) -> str:
    """A short text that changes when any of them does."""
    return hashlib.blake2b(repr(events).encode(), digest_size=16).hexdigest()


def written(events: Iterable[Event], *, base: str, language: str) -> bytes:
    """The file. `base` is the address of this server, without a slash at its end."""
    # Loaded here: it is a twentieth of the server's memory, and not everybody subscribes.
    import icalendar  # noqa: PLC0415 - as said above

    calendar = icalendar.Calendar.new(name=NAME, prodid=PRODUCT, language=language)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", icalendar.vDuration(REFRESH))
    for event in events:
        entry = icalendar.Event.new(
            uid=event.uid,
            summary=event.summary,
            description=event.description,
            start=event.starts,
            end=event.ends,
            status=icalendar.enums.STATUS.TENTATIVE if event.is_guess else None,
            stamp=event.changed_at,
            last_modified=event.changed_at,
            sequence=event.sequence,
            url=f"{base}{event.path}",
            transparency=icalendar.enums.TRANSP.TRANSPARENT,
            classification=icalendar.enums.CLASS.PRIVATE,
        )
        calendar.add_component(entry)
    return bytes(calendar.to_ical())


def _event(one: Arrival | Expected, day: date, zone: tzinfo) -> Event:
    return _arrived(one) if isinstance(one, Arrival) else _expected(one, day, zone)


def _arrived(arrival: Arrival) -> Event:
    one = arrival.followed
    count = len(arrival.numbers)
    first, last = (plain_number(arrival.numbers[place]) for place in (0, -1))
    summary = ngettext(
        "%(title)s, episode %(numbers)s", "%(title)s, episodes %(numbers)s", count
    ) % {
        "title": _title(one.title),
        "numbers": first if count == 1 else f"{first}\N{EN DASH}{last}",
    }
    state = _("In the library") if arrival.is_complete else _("Not in the library yet")
    starts = arrival.at.astimezone(UTC)
    return Event(
        uid=uuid.uuid5(one.item_id, str(arrival.first_id)),
        lang=one.lang,
        summary=summary,
        description=f"{one.lang.upper()} · {state}",
        path=reverse("series", args=[one.item_id]),
        starts=starts,
        ends=starts + _SHOWN_FOR,
        is_guess=False,
        sequence=0,
        changed_at=arrival.changed_at.astimezone(UTC),
    )


def _expected(expected: Expected, shown_on: date, zone: tzinfo) -> Event:
    one = expected.followed
    words = (
        _("Late (a guess): %(title)s") if expected.is_late else _("Expected (a guess): %(title)s")
    )
    rhythm = _("A guess by the rhythm so far: %(every)s.") % {
        "every": wording.every(timedelta(days=expected.gap_days))
    }
    late = _("It was expected on %(day)s.") % {"day": wording.dated(expected.day, "j M")}
    put_off = datetime.combine(shown_on, time.min, zone)
    return Event(
        uid=uuid.uuid5(one.item_id, f"expected {expected.day}"),
        lang=one.lang,
        summary=words % {"title": _title(one.title)},
        description=f"{one.lang.upper()} · {rhythm}{f' {late}' if expected.is_late else ''}",
        path=reverse("series", args=[one.item_id]),
        starts=shown_on,
        ends=shown_on + timedelta(days=1),
        is_guess=True,
        sequence=(shown_on - expected.day).days,
        changed_at=(put_off if expected.is_late else expected.known_at).astimezone(UTC),
    )


def _title(text: str) -> str:
    return clean_text(text, MAX_TITLE)

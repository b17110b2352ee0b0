"""How the parts of the program do at this moment, in words for people and with what helps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from downloads import upkeep
from downloads.engine.library import free_bytes
from watchlist.services.scheduler import is_beat_alive

WORKERS: Final = ("checks", "downloads")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the program."""

    id: str
    name: str
    is_well: bool
    trouble: str  # one sentence with what helps; "" while it is well


def parts() -> list[Part]:
    """Every part, in the order in which one depends on the other."""
    return [
        _database(),
        *_broker_and_workers(),
        _beat(),
        _disk(),
    ]


def troubles() -> list[Part]:
    """The parts that are not well."""
    return [part for part in parts() if not part.is_well]


def _database() -> Part:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return Part(
            "database", _("Database"), is_well=False, trouble=_("The database does not answer.")
        )
    return Part("database", _("Database"), is_well=True, trouble="")


def _broker_and_workers() -> list[Part]:
    names = {"checks": _("Check workers"), "downloads": _("Download workers")}
    try:
        alive = cache.get_many([f"worker:{kind}" for kind in WORKERS])
    except (RedisError, OSError):
        trouble = _("The broker does not answer: nothing is checked or downloaded. Start it again.")
        return [Part("broker", _("Broker"), is_well=False, trouble=trouble)]
    troubles = {
        "checks": _("No worker takes checks: start the program again, and look at its log."),
        "downloads": _("No worker takes downloads: start the program again, and look at its log."),
    }
    found = [Part("broker", _("Broker"), is_well=True, trouble="")]
    for kind in WORKERS:
        is_alive = f"worker:{kind}" in alive
        found.append(
            Part(kind, names[kind], is_well=is_alive, trouble="" if is_alive else troubles[kind])
        )
    return found


def _beat() -> Part:
    try:
        is_alive = is_beat_alive()
    except DatabaseError:
        is_alive = False
    trouble = _("The clock of the schedule stands still: start the program again.")
    return Part("beat", _("Scheduler clock"), is_well=is_alive, trouble="" if is_alive else trouble)


def _disk() -> Part:
    name = _("Library")
    try:
        free_bytes(settings.DOWNLOAD_DIR)
    except OSError:
        return Part("disk", name, is_well=False, trouble=_("The library folder cannot be reached."))
    if upkeep.is_disk_low():
        return Part(
            "disk",
            name,
            is_well=False,
            trouble=_("The disk is nearly full: downloads wait for room."),
        )
    return Part("disk", name, is_well=True, trouble="")

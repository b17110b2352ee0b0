"""What stands around every page: heartbeat, counts, theme, and what is wrong."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe
from django_celery_beat.models import PeriodicTask
from django_htmx.http import trigger_client_event
from redis.exceptions import RedisError

from watchlist.middleware import reader_on
from watchlist.models import Profile, Theme
from watchlist.pages import toasts, wording
from watchlist.selectors.reader import Reader
from watchlist.services import scheduler, troubles

WORKERS: Final = ("checks", "downloads")
PARTS: Final = ("broker", "workers", *WORKERS, "beat")
# The pages may be up before the workers are; that is no trouble.
STARTING_SECONDS: Final = 120
_started_at: Final = time.monotonic()
_NEXT_THEME: Final = {"system": "light", "light": "dark", "dark": "system"}
_THEME_ICONS: Final = {"system": "sun-moon", "light": "sun", "dark": "moon"}


@dataclass(frozen=True, slots=True)
class Machine:
    """Which parts of the program are alive."""

    broker: bool
    workers: Mapping[str, bool]
    beat: bool
    schedule_on: bool
    interval: timedelta

    @property
    def trouble(self) -> str:
        """The worst that is wrong, by name; "" when all is well."""
        if not self.broker:
            return "broker"
        down = [name for name in WORKERS if not self.workers[name]]
        if down:
            return "workers" if len(down) == len(WORKERS) else down[0]
        if not self.beat:
            return "beat"
        return "" if self.schedule_on else "schedule"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The line in the top bar."""

    level: str  # ok, wait or error
    headline: str
    more: str
    advice: str  # one sentence for the banner; "" when there is nothing to do

    @property
    def version(self) -> str:
        """Changes with what is shown."""
        return hashlib.blake2b(f"{self}".encode(), digest_size=6).hexdigest()


def machine() -> Machine:
    """Ask the database for the schedule, the cache for signs of life."""
    rows = PeriodicTask.objects.filter(name__in=[scheduler.CHECK_NAME, scheduler.HEARTBEAT_NAME])
    by_name = {row.name: row for row in rows}
    check, beat = by_name.get(scheduler.CHECK_NAME), by_name.get(scheduler.HEARTBEAT_NAME)
    last = beat.last_run_at if beat else None
    try:
        signs = cache.get_many([f"worker:{name}" for name in WORKERS])
        has_broker = True
    except (RedisError, OSError):
        signs, has_broker = {}, False
    seconds = settings.CHECK_INTERVAL_SECONDS
    hours = scheduler.interval_hours_in(check.kwargs if check else "{}")
    return Machine(
        broker=has_broker,
        workers={name: f"worker:{name}" in signs for name in WORKERS},
        beat=scheduler.is_fresh(last),
        schedule_on=bool(check and check.enabled),
        interval=timedelta(seconds=seconds) if seconds else timedelta(hours=hours),
    )


def heartbeat(state: Machine, reader: Reader) -> Heartbeat:
    """What is happening and when next, or what is wrong."""
    download = _("auto-download on") if reader.auto_download_enabled else _("auto-download off")
    more = f"{wording.every(state.interval)} · {download}"
    broken = _broken(state.trouble)
    if broken is not None:
        headline, advice = broken
        return Heartbeat("error", headline, "", advice)
    if state.trouble == "schedule":
        advice = _("Nothing is checked by itself until an administrator starts the schedule again.")
        return Heartbeat("wait", _("Schedule stopped"), download, advice)
    return Heartbeat("ok", _next_check(reader.next_check_at), more, "")


def _next_check(at: datetime | None) -> str:
    if at is None:
        return _("Nothing to check")
    if at <= timezone.now():
        return _("Checking now")
    return _("Next check %(when)s") % {"when": wording.moment(at)}


def _broken(trouble: str) -> tuple[str, str] | None:
    kept = _("Your list is safe and complete; nothing is lost.")
    lines = {
        "broker": (
            _("Message broker down"),
            _("The message broker does not answer, so nothing is checked or downloaded now."),
        ),
        "workers": (
            _("Workers down"),
            _("No worker is running, so nothing is checked or downloaded now."),
        ),
        "checks": (
            _("Check worker down"),
            _("The worker that checks series is not running; downloads go on."),
        ),
        "downloads": (
            _("Download worker down"),
            _("The worker that downloads is not running; checks go on."),
        ),
        "beat": (
            _("Scheduler down"),
            _("The scheduler is not running: what you start by hand works, nothing starts itself."),
        ),
    }
    if trouble not in lines:
        return None
    headline, advice = lines[trouble]
    return headline, f"{advice} {kept}"


def frame(request: HttpRequest) -> dict[str, Any]:
    """The context processor: `frame` in every template."""
    reader = reader_on(request)
    theme = reader.theme if reader else Theme.SYSTEM.value
    context: dict[str, Any] = {
        "reader": reader,
        "theme": theme,
        "theme_icon": _THEME_ICONS[theme],
        "theme_name": Theme(theme).label,
    }
    if reader is not None:
        context["pulse"] = SimpleLazyObject(lambda: heartbeat(machine(), reader))
    return context


@login_required
@require_safe
def pulse(request: HttpRequest) -> HttpResponse:
    """The heartbeat and the counts anew, or 204 when nothing has changed."""
    reader = reader_on(request)
    assert reader is not None  # noqa: S101 - login_required
    state = machine()
    if state.trouble in PARTS and time.monotonic() - _started_at > STARTING_SECONDS:
        troubles.part_stopped(part=state.trouble)
    beat = heartbeat(state, reader)
    version = version_of(beat, reader)
    if request.GET.get("v") == version:
        return HttpResponse(status=204)
    return render(request, "components/pulse.html", {"pulse": beat, "swap": True})


def version_of(beat: Heartbeat, reader: Reader) -> str:
    """What the page shows of the frame, in short."""
    return f"{beat.version}.{reader.unread}.{reader.downloads_running}"


@login_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Go on to the next theme: like the device, light, dark."""
    reader = reader_on(request)
    wished = request.POST.get("theme", "")
    chosen = wished if wished in Theme.values else _NEXT_THEME[reader.theme if reader else "system"]
    Profile.objects.update_or_create(user=request.user, defaults={"theme": chosen})
    context = {
        "theme": chosen,
        "theme_icon": _THEME_ICONS[chosen],
        "theme_name": Theme(chosen).label,
    }
    if not toasts.is_fragment(request):
        return toasts.go(toasts.came_from(request))
    response = render(request, "components/theme.html", context)
    return trigger_client_event(response, "theme", {"theme": chosen})


@require_safe
@cache_control(max_age=86_400)
def manifest(request: HttpRequest) -> HttpResponse:
    """How a device installs the pages as an app."""
    context = {"icon": static("icon.svg")}
    return render(request, "site.webmanifest", context, content_type="application/manifest+json")


@login_required
@require_safe
def more(request: HttpRequest) -> HttpResponse:
    """What has no room in a phone's bottom bar."""
    return render(request, "watchlist/more.html")

"""Is everything ready? Each part with a green or red line, and what mends a red one."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from downloads.engine.errors import FolderUnwritable
from downloads.libraryfolder import require_library
from providers import gateway
from providers.errors import ProviderError
from watchlist import faults
from watchlist.pages import frame, toasts, wording
from watchlist.pages.cards import provider_name
from watchlist.pages.feedback import administrator_required
from watchlist.services import asking


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the list."""

    key: str
    name: str
    is_well: bool
    text: str
    fix: str = ""  # what to do; "" when all is well
    fix_url: str = ""  # where it is done
    is_waiting: bool = False


@never_cache
@administrator_required
@require_safe
def preflight(request: HttpRequest) -> HttpResponse:
    """The list; providers are asked one by one while the page is there already."""
    asked = request.GET.get("provider", "")
    known = [one for one in gateway.describe() if one.enabled]
    if toasts.is_fragment(request):
        found = [_provider(one) for one in known if one.id == asked]
        return render(request, "watchlist/findings.html", {"findings": found})
    with_providers = request.GET.get("wait") == "1"
    findings = [
        *_machine(),
        *(_provider(one) if with_providers else _unasked(one) for one in known),
    ]
    context = {"findings": findings, "is_asking": not with_providers}
    return render(request, "watchlist/preflight.html", context)


def _machine() -> list[Finding]:
    state = frame.machine()
    restart = _("Look at the program's output, then restart it: make run, or docker compose up.")
    parts = [
        ("broker", _("Message broker"), state.broker),
        ("checks", _("Worker for checks"), state.workers["checks"]),
        ("downloads", _("Worker for downloads"), state.workers["downloads"]),
        ("beat", _("Scheduler (beat)"), state.beat),
    ]
    lines = [
        Finding(
            key,
            name,
            is_alive,
            _("Alive") if is_alive else _("Gives no sign of life"),
            "" if is_alive else restart,
        )
        for key, name, is_alive in parts
    ]
    return [_library(), _space(), *lines]


def _library() -> Finding:
    folder = Path(settings.DOWNLOAD_DIR)
    try:
        # Nothing is made here: in the place of a disk that has gone it would fill the one below.
        with tempfile.TemporaryFile(dir=require_library()):
            pass
    except FolderUnwritable:
        fix = _("Connect its disk again, or make the folder.")
        return _no_library(wording.about(str(folder), _("the folder is not there")), fix)
    except OSError as error:
        fix = _("Give the program's account the right to write there, or set DOWNLOAD_DIR.")
        return _no_library(wording.about(str(folder), error.strerror or ""), fix)
    return Finding("library", _("Library"), is_well=True, text=str(folder))


def _no_library(text: str, fix: str) -> Finding:
    return Finding("library", _("Library"), is_well=False, text=text, fix=fix)


def _space() -> Finding:
    try:
        free = shutil.disk_usage(settings.DOWNLOAD_DIR).free
    except OSError:
        free = 0
    enough = free >= settings.MIN_FREE_DISK_MB * 1_000_000
    text = _("%(size)s free") % {"size": wording.size(free)}
    fix = (
        "" if enough else _("Make room, or set MIN_FREE_DISK_MB lower; downloads wait until then.")
    )
    return Finding("space", _("Free space"), enough, text, fix)


def _provider(one: gateway.ProviderDescription) -> Finding:
    try:
        asking.test_provider(one.id)
    except ProviderError as error:
        return Finding(
            one.id,
            provider_name(one.id),
            is_well=False,
            text=faults.short(error.code),
            fix=_("Look at its address, or switch it off."),
            fix_url=f"{reverse('settings-providers')}#provider-{one.id}",
        )
    return Finding(one.id, provider_name(one.id), is_well=True, text=_("Answers"))


def _unasked(one: gateway.ProviderDescription) -> Finding:
    return Finding(
        one.id, provider_name(one.id), is_well=True, text=_("is being asked…"), is_waiting=True
    )

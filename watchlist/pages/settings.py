"""The global settings and the scheduler: everybody may look, administrators may change."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from downloads import queue
from watchlist.pages.feedback import Told, administrator_required, answer, user_of
from watchlist.pages.panel_forms import GlobalForm, LimitsForm
from watchlist.services import due, limits, preferences, scheduler

UNPROCESSABLE: Final = 422


@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """The global settings, the scheduler and the limits of downloads."""
    return _page(request)


@administrator_required
@require_POST
def change_global(request: HttpRequest) -> HttpResponse:
    """Take over the settings of the contract."""
    form = GlobalForm(request.POST)
    if not form.is_valid():
        return _page(request, form=form, status=UNPROCESSABLE)
    preferences.change_settings(changes=form.cleaned_data)
    return answer(request, Told("ok", _("The settings are saved.")), to=reverse("settings"))


@administrator_required
@require_POST
def change_limits(request: HttpRequest) -> HttpResponse:
    """Take over how fast and when downloads may run."""
    form = LimitsForm(request.POST)
    if not form.is_valid():
        return _page(request, limits_form=form, status=UNPROCESSABLE)
    limits.change_limits(
        rate_limit_bps=form.rate_limit_bps,
        window_start=form.cleaned_data["window_start"],
        window_end=form.cleaned_data["window_end"],
    )
    return answer(request, Told("ok", _("The limits are saved.")), to=reverse("settings"))


@administrator_required
@require_POST
def change_scheduler(request: HttpRequest, action: str) -> HttpResponse:
    """Start or stop the scheduled checks, or check what is due now."""
    if action == "run":
        count = due.queue_due_checks(interval=scheduler.interval())
        told = Told("ok", _runs(count))
    else:
        scheduler.set_running(running=action == "start", by=user_of(request).get_username())
        word = (
            _("Scheduled checks are on.") if action == "start" else _("Scheduled checks are off.")
        )
        told = Told("ok", word, "" if action == "start" else _undo_stop())
    return answer(request, told, to=reverse("settings"), fragment=lambda: _card(request))


@login_required
@require_safe
def scheduler_card(request: HttpRequest) -> HttpResponse:
    """The scheduler's card alone, for the page's poll; 204 when nothing on it has changed."""
    status = scheduler.status()
    if request.GET.get("v") == _version(status):
        return HttpResponse(status=204)
    return _card(request)


def _runs(count: int) -> str:
    if not count:
        return _("Nothing is due now.")
    text = ngettext("%(count)s check is on its way.", "%(count)s checks are on their way.", count)
    return text % {"count": count}


def _undo_stop() -> str:
    return reverse("settings-scheduler", args=["start"])


def _card(request: HttpRequest) -> HttpResponse:
    return render(request, "watchlist/_scheduler.html", _scheduler_context() | {"oob": True})


def _page(
    request: HttpRequest,
    *,
    form: GlobalForm | None = None,
    limits_form: LimitsForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context = _scheduler_context() | {
        "form": form or GlobalForm(initial=_initial()),
        "limits_form": limits_form or LimitsForm.of(queue.limiter()),
        "max_parallel": limits.max_parallel(),
        "server_zone": timezone.get_default_timezone_name(),
        "tab": "general",
    }
    return render(request, "watchlist/settings.html", context, status=status)


def _initial() -> dict[str, Any]:
    now = preferences.read_settings()
    return {name: getattr(now, name) for name in GlobalForm.base_fields}


def _scheduler_context() -> dict[str, Any]:
    status = scheduler.status()
    return {
        "scheduler": status,
        "scheduler_version": _version(status),
        "interval": scheduler.interval(),
    }


def _version(status: scheduler.SchedulerStatus) -> str:
    return "-".join(
        (
            str(status.running),
            str(status.enabled),
            str(status.due_now),
            f"{status.last_run:%H%M%S}" if status.last_run else "",
        )
    )

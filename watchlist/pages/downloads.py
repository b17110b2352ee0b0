"""The downloads page: live sections, and what a user may do to each download."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from downloads import queue
from watchlist.models import Grab
from watchlist.pages import download_lines
from watchlist.pages.download_lines import Line
from watchlist.pages.feedback import Told, answer, user_of
from watchlist.selectors.downloads import find_grab
from watchlist.selectors.queue_page import (
    SECTIONS,
    QueuePage,
    failed_grabs,
    neighbour,
    queue_page,
    waiting_downloads,
)
from watchlist.services import downloads as wishes
from watchlist.services.users import is_administrator


@login_required
@require_safe
def downloads(request: HttpRequest) -> HttpResponse:
    """Now, queue, failed and done."""
    context = _context(user_of(request))
    context["lines"] = _lines(context["page"], SECTIONS)
    return render(request, "watchlist/downloads.html", context)


@login_required
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The sections that changed since the versions that the page names; 204 when none did."""
    context = _context(user_of(request))
    changed = _changed(context, request.GET)
    if not changed:
        return HttpResponse(status=204)
    return _sections(request, context, changed)


@login_required
@require_POST
def act(request: HttpRequest, download_id: uuid.UUID, action: str) -> HttpResponse:
    """Pause, resume, cancel, retry or move one download."""
    user = user_of(request)
    grab = find_grab(user, download_id)
    if grab is None:
        raise Http404
    try:
        told = _ACTIONS[action](user, grab)
    except (queue.NotLegalNow, wishes.SharedDownload) as error:
        told = Told("error", _refusal(error))
    return _after(request, told)


@login_required
@require_POST
def retry_all(request: HttpRequest) -> HttpResponse:
    """Try everything again that failed."""
    count = 0
    for grab in failed_grabs(user_of(request)):
        try:
            wishes.retry_for(grab=grab)
        except (queue.NotLegalNow, Grab.DoesNotExist):
            continue  # a worker or another tab was faster
        count += 1
    text = ngettext(
        "%(count)s download is tried again.", "%(count)s downloads are tried again.", count
    )
    return _after(request, Told("ok", text % {"count": count}))


def _context(user: User) -> dict[str, Any]:
    page = queue_page(user)
    return {"page": page, "versions": page.versions}


def _changed(context: dict[str, Any], seen: QueryDict) -> list[str]:
    """The sections that are not as the page names them in the request."""
    return [name for name in SECTIONS if context["versions"][name] != seen.get(name, "")]


def _sections(request: HttpRequest, context: dict[str, Any], changed: list[str]) -> HttpResponse:
    shown = {"sections": changed, "lines": _lines(context["page"], changed)}
    return render(request, "watchlist/_downloads_live.html", context | shown)


def _lines(page: QueuePage, sections: Iterable[str]) -> dict[str, list[Line]]:
    """What the named sections list; the others are not asked for."""
    return {name: [_LINES[name](row) for row in getattr(page, name)] for name in sections}


def _after(request: HttpRequest, told: Told) -> HttpResponse:
    def fragment() -> HttpResponse:
        context = _context(user_of(request))
        return _sections(request, context, _changed(context, request.POST))

    return answer(request, told, to=reverse("downloads"), fragment=fragment)


def _pause(user: User, grab: Grab) -> Told:
    wishes.pause_for(grab=grab, may_hold_up_others=is_administrator(user))
    return Told("ok", _("Paused: %(name)s") % {"name": grab.download.label}, _undo(grab, "resume"))


def _resume(user: User, grab: Grab) -> Told:
    wishes.resume_for(grab=grab, may_hold_up_others=is_administrator(user))
    return Told("ok", _("Goes on: %(name)s") % {"name": grab.download.label})


def _cancel(user: User, grab: Grab) -> Told:
    del user
    wishes.cancel_for(grab=grab)
    return Told(
        "ok", _("Cancelled: %(name)s") % {"name": grab.download.label}, _undo(grab, "retry")
    )


def _retry(user: User, grab: Grab) -> Told:
    del user
    wishes.retry_for(grab=grab)
    return Told("ok", _("Tried again: %(name)s") % {"name": grab.download.label})


def _move(step: int) -> Callable[[User, Grab], Told]:
    def move(user: User, grab: Grab) -> Told:
        other = neighbour(user, grab.download, step=step)
        if other is not None and step < 0:
            queue.move_to_position(grab.download, before=other)
        elif other is not None:
            queue.move_to_position(other, before=grab.download)
        return Told("ok", _("Moved: %(name)s") % {"name": grab.download.label}, is_quiet=True)

    return move


def _first(user: User, grab: Grab) -> Told:
    first = next(iter(waiting_downloads(user)), grab.download)
    if first != grab.download:
        queue.move_to_position(grab.download, before=first)
    return Told("ok", _("Next to start: %(name)s") % {"name": grab.download.label})


def _undo(grab: Grab, action: str) -> str:
    return reverse("download-act", args=[grab.download_id, action])


def _refusal(error: Exception) -> str:
    if isinstance(error, queue.NotLegalNow):
        return _("That is no longer possible: the download has moved on meanwhile.")
    return str(error)


_ACTIONS: Final[dict[str, Callable[[User, Grab], Told]]] = {
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
    "retry": _retry,
    "up": _move(-1),
    "down": _move(1),
    "first": _first,
}
ACTIONS: Final = tuple(_ACTIONS)
_LINES: Final[dict[str, Callable[[Any], Line]]] = {
    "now": download_lines.running,
    "queue": download_lines.waiting,
    "failed": download_lines.failed,
    "done": download_lines.ended,
}

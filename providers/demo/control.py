"""`/control`: the site's switches as JSON, for use from another process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from providers.demo.context import Context
from providers.demo.faults import Fault, FaultKind
from providers.demo.wire import Reply, Request
from providers.demo.works import ProviderId

if TYPE_CHECKING:
    from providers.demo.site import DemoSite

_Answer = Mapping[str, object]


def control(site: DemoSite, context: Context, request: Request) -> Reply:
    """GET: the state. POST `{"action": ..., ...}`: do something, answer with what came of it."""
    if request.method != "POST":
        return _json(state(site, context))
    try:
        order = json.loads(request.body)
        action = _ACTIONS[order.pop("action")]
        return _json(action(site, order))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        problem = {"error": f"{type(error).__name__}: {error}", "actions": sorted(_ACTIONS)}
        return _json(problem, HTTPStatus.BAD_REQUEST)


def state(site: DemoSite, context: Context) -> _Answer:
    """What there is, with addresses to follow."""
    return {
        "base_url": site.base_url,
        "moved_url": site.moved_url,
        "providers": {provider.value: _series(site, context, provider) for provider in ProviderId},
        "faults": context.faults.description(),
        "requests": site.requests.counts(),
    }


def _series(site: DemoSite, context: Context, provider: ProviderId) -> list[_Answer]:
    with context.lock:
        return [
            {
                "slug": work.slug,
                "title": work.title,
                "url": site.url_of(provider, work.slug, season.path, lang),
                "season": season.path,
                "lang": lang,
                "episodes": len(season.in_language(lang)),
                "airing": work.is_airing,
            }
            for work in context.catalogue.of(provider)
            for season in work.seasons
            for lang in season.offered
        ]


def _publish(site: DemoSite, order: Mapping[str, Any]) -> _Answer:
    return {"number": site.publish_episode(order.get("slug"))}


def _fault(site: DemoSite, order: Mapping[str, Any]) -> _Answer:
    site.faults.add(Fault(**{**order, "kind": FaultKind(order["kind"])}))
    return {"faults": site.faults.description()}


def _clear(site: DemoSite, order: Mapping[str, Any]) -> _Answer:
    site.faults.clear(order.get("prefix", "/"))
    return {"faults": site.faults.description()}


def _reset(site: DemoSite, _order: Mapping[str, Any]) -> _Answer:
    site.reset()
    return {}


def _special(site: DemoSite, order: Mapping[str, Any]) -> _Answer:
    site.insert_special(
        order["slug"], order.get("title", "Épisode spécial"), order.get("position", 0)
    )
    return {}


def _language(site: DemoSite, order: Mapping[str, Any]) -> _Answer:
    site.add_language(order["slug"], order["lang"])
    return {}


def _layout(site: DemoSite, order: Mapping[str, Any]) -> _Answer:
    site.show_cards_as(order["layout"])
    return {}


def _rate(site: DemoSite, order: Mapping[str, Any]) -> _Answer:
    site.set_media_rate(order["bytes_per_second"])
    return {}


def _expire(site: DemoSite, _order: Mapping[str, Any]) -> _Answer:
    site.expire_links()
    return {}


def _move(site: DemoSite, _order: Mapping[str, Any]) -> _Answer:
    return {"moved_url": site.move()}


def _requests(site: DemoSite, order: Mapping[str, Any]) -> _Answer:
    found = site.requests.all(order.get("prefix", "/"))
    return {"requests": [[each.method, each.target, each.status] for each in found]}


_ACTIONS: Mapping[str, Callable[[DemoSite, Mapping[str, Any]], _Answer]] = {
    "publish": _publish,
    "fault": _fault,
    "clear": _clear,
    "reset": _reset,
    "insert_special": _special,
    "add_language": _language,
    "layout": _layout,
    "media_rate": _rate,
    "expire_links": _expire,
    "move": _move,
    "requests": _requests,
}


def _json(value: object, status: int = HTTPStatus.OK) -> Reply:
    return Reply(json.dumps(value, ensure_ascii=False).encode(), "application/json", status)

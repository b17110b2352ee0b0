"""anime-ultime: version 5 with its JSON answers; version 4 is in a module of its own."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping

from providers.demo.addresses import ultime_id, ultime_name, ultime_path
from providers.demo.animeultime_v4 import ROUTES as V4_ROUTES
from providers.demo.clips import HEIGHTS
from providers.demo.context import Context, escaped, page, poster_url
from providers.demo.routing import Address, route, routed
from providers.demo.ultime_files import (
    UltimeFile,
    file_by_id,
    files_of,
    season_by_id,
    seasons,
    title_of,
)
from providers.demo.wire import Reply, Request
from providers.demo.works import ProviderId, Season, Work

PREFIX = "/animeultime"
_LEAST_QUERY = 2


def answer(context: Context, request: Request) -> Reply | None:
    """A page of either version."""
    return routed(_ROUTES, context, request, PREFIX)


def _json(value: object) -> Reply:
    return Reply(json.dumps(value).encode(), "application/json; charset=utf-8")


def _hits(context: Context, query: str) -> list[tuple[Work, Season]]:
    if len(query.strip()) < _LEAST_QUERY:
        return []
    works = context.catalogue.search(ProviderId.ANIMEULTIME, query)
    return [(work, season) for work, season in seasons(context) if work in works]


def _menu_search(context: Context, request: Request, address: Address) -> Reply:
    hits = _hits(context, request.form().get("search", ""))
    return _json(
        [
            {
                "id": str(ultime_id(work, season)),
                "title": _escaped_title(work, season),
                "type": "Anime",
                "format": "Film" if work.kind == "Film" else "Episode",
                "url": address.base + ultime_path(work, season),
                "number": f"{len(season.in_language('vostfr'))}/{_total(work, season)}",
                "img_url": poster_url(address.origin, work.slug),
            }
            for work, season in hits
        ]
    )


def _series_results(context: Context, request: Request, address: Address) -> Reply:
    hits = _hits(context, request.form().get("search", ""))
    return _json(
        [
            {
                "id": str(ultime_id(work, season)),
                "title": _escaped_title(work, season),
                "total": str(_total(work, season)),
                "current": str(len(season.in_language("vostfr"))),
                "note": "4.5",
                "img_url": poster_url(address.origin, work.slug),
                "url": address.base + ultime_path(work, season),
            }
            for work, season in hits
        ]
    )


def _escaped_title(work: Work, season: Season) -> str:
    """Escaped for HTML, on some rows twice."""
    once = html.escape(title_of(work, season))
    return html.escape(once) if work.number % 2 else once


def _total(work: Work, season: Season) -> int:
    is_airing = work.is_airing and season is work.seasons[-1]
    return work.announced if is_airing else len(season.episodes)


def _series(context: Context, request: Request, address: Address) -> Reply | None:
    path = f"/{address.parts[0]}-streaming.html".lower()
    for work, season in seasons(context):
        if ultime_path(work, season).lower() == path:
            files = files_of(context, work, season, request.path)
            return _series_page(work, season, files, address)
    return None


def _series_page(work: Work, season: Season, files: list[UltimeFile], address: Address) -> Reply:
    poster = poster_url(address.origin, work.slug)
    rows = "\n".join(
        f'<li class="file"><div class="number"><label>{file.label}</label></div>'
        f'<div class="fansub"><label>{file.group}</label></div>'
        f'<div class="lang"><label>{file.lang}</label></div>'
        f'<a href="{file.name}">Voir</a></li>'
        for file in files
    )
    body = f"""<h1>{escaped(title_of(work, season))}</h1>
<img src="{poster}"><div class="AUVideoPlayer" data-serie="{ultime_id(work, season)}"></div>
<div data-target="synopsis"><p>{escaped(work.synopsis)}</p></div>
<div data-target="info"><ul><li>Année de production : {work.year}</li>
<li>Genre : {" | ".join(work.genres)}</li><li>Studio : {work.studio}</li></ul></div>
<ul class="ficheDownload">
{rows}
</ul>"""
    head = f'<base href="{address.base}/"><meta property="og:image" content="{poster}">'
    return page(title_of(work, season), body, head=head)


def _episode(context: Context, request: Request, address: Address) -> Reply | None:
    name = f"{address.parts[0]}-streaming-{address.parts[1]}.html"
    for work, season in seasons(context):
        if not name.startswith(ultime_name(work)):
            continue
        for file in files_of(context, work, season, request.path):
            if file.name == name:
                return _episode_page(file, address)
    return None


def _episode_page(file: UltimeFile, address: Address) -> Reply:
    language = " vf" if file.lang == "vf" else ""
    title = f"{title_of(file.work, file.season)} {file.label}{language}"
    body = (
        f"<h1>{escaped(title)}</h1>"
        f'<div class="AUVideoPlayer" data-serie="{ultime_id(file.work, file.season)}" '
        f'data-focus="{file.idfile}"></div><a data-idfile="{file.idfile}">Télécharger</a>'
    )
    return page(title, body, head=f'<base href="{address.base}/">')


def _video_player(context: Context, request: Request, address: Address) -> Reply | None:
    form = request.form()
    wanted = form.get("focusFile") or form.get("idfile", "")
    file = file_by_id(context, wanted, request.path)
    named = season_by_id(context, form.get("idserie", ""))
    if file is None and named is not None:
        files = files_of(context, *named, request.path)
        file = files[0] if files and not wanted else None
    if file is None:
        return _json({"error": "Fichier introuvable"})
    if context.is_licensed(file.work, request.path):
        return _json({"error": "Série licenciée"})
    return _json(_player(context, file, request, address))


def _player(
    context: Context, file: UltimeFile, request: Request, address: Address
) -> Mapping[str, object]:
    listed = files_of(context, file.work, file.season, request.path)
    playlist = [
        {
            "id": str(each.idfile),
            "title": f"{title_of(each.work, each.season)} {each.label} {each.lang}",
        }
        for each in listed
    ]
    qualities = {
        f"{height}p": {"mp4": {"url": _stream_url(context, file, height, address.origin)}}
        for height in HEIGHTS
    }
    title = f"{title_of(file.work, file.season)} {file.label}"
    return {**qualities, "quality": "720p", "title": title, "playlist": playlist}


def _stream_url(context: Context, file: UltimeFile, height: int, origin: str) -> str:
    """Without an extension, and short-lived."""
    name = f"{file.episode.uid}x{height}"
    return f"{origin}/media/stream/{context.signer.signed(name)}/{name}"


_ROUTES = (
    route(r"/MenuSearch\.html", _menu_search),
    route(r"/SeriesResults\.html", _series_results),
    route(r"/VideoPlayer\.html", _video_player),
    route(r"/([^/]+?)-streaming-([^/]+)\.html", _episode),
    route(r"/([^/]+)-streaming\.html", _series),
    *V4_ROUTES,
)

"""anime-ultime, version 4: tables in ISO-8859-1, a playlist that is no XML, waits before files."""

from __future__ import annotations

import json
import time
from http import HTTPStatus

from providers.demo.addresses import ultime_id
from providers.demo.clips import DURATION_SECONDS
from providers.demo.context import Context, escaped, page, poster_url
from providers.demo.routing import Address, route
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

_ENCODING = "iso-8859-1"
_WAIT_SECONDS = 1
_MOST_WAITS = 1_000
_MOST_RELEASES = 20
_DAYS = ("Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi", "Samedi", "Dimanche")


def _page(title: str, body: str, address: Address, head: str = "") -> Reply:
    base = f'<base href="{address.base}/">'
    return page(title, body, head=base + head, encoding=_ENCODING)


def _home(context: Context, request: Request, address: Address) -> Reply:
    table = _release_table(_newest(context, request.path))
    return _page("Anime-Ultime", f"<h1>Anime-Ultime</h1>{table}", address)


def _search(context: Context, request: Request, address: Address) -> Reply:
    query = request.form(_ENCODING).get("search", "") or address.parts[0].replace("+", " ")
    works = context.catalogue.search(ProviderId.ANIMEULTIME, query)
    hits = [(work, season) for work, season in seasons(context) if work in works]
    if len(hits) == 1:
        # One hit: the page of the series itself.
        return _series_page(context, request, address, *hits[0])
    return _page("Recherche", f'<div class="title">Recherche</div>{_table(hits)}', address)


def _suggestions(context: Context, request: Request, address: Address) -> Reply:
    works = context.catalogue.search(ProviderId.ANIMEULTIME, request.query.get("term", ""))
    found = [
        # These numbers are not those of the series.
        {
            "id": str(90_000 + work.number),
            "value": work.title,
            "image": poster_url(address.origin, work.slug),
        }
        for work in works
    ]
    return Reply(json.dumps(found).encode(), "application/json")


def _catalogue(context: Context, _request: Request, address: Address) -> Reply:
    hits = list(seasons(context)) if address.parts[0] == "anime" else []
    return _page("Liste", f'<div class="title">Liste</div>{_table(hits)}', address)


def _table(hits: list[tuple[Work, Season]]) -> str:
    rows = "\n".join(_row(work, season) for work, season in hits)
    return (
        '<table class="jtable"><tr><th>Image</th><th>Titre</th><th>Type</th><th>Ep.</th>'
        f"<th>Note</th></tr>\n{rows}\n</table>"
    )


def _row(work: Work, season: Season) -> str:
    link = f"file-0-1/{_name(work, season)}"
    poster = f"/posters/{work.slug}.png"
    total = work.announced if work.is_airing else len(season.episodes)
    return (
        f'<tr><td><a href="{link}"><img src="{poster}"></a></td>'
        f'<td><a href="{link}" onmouseover="show(\'img={poster}\')">'
        f"{escaped(title_of(work, season))}</a></td>"
        f"<td>{'Film' if work.kind == 'Film' else 'Episode'}</td>"
        f"<td>{len(season.in_language('vostfr'))}/{total}</td><td>4.5/5</td></tr>"
    )


def _name(work: Work, season: Season) -> str:
    return f"{ultime_id(work, season)}-{work.slug}"


def _series(context: Context, request: Request, address: Address) -> Reply | None:
    found = season_by_id(context, address.parts[0])
    return _series_page(context, request, address, *found) if found else None


def _series_page(
    context: Context, request: Request, address: Address, work: Work, season: Season
) -> Reply:
    number = ultime_id(work, season)
    poster = poster_url(address.origin, work.slug)
    title = title_of(work, season)
    rows = "\n".join(
        f"<tr><td>{file.label} {file.lang}</td><td>{file.group}</td>"
        f'<td><a href="info-0-1/{file.idfile}/{_file_name(file)}">Infos</a></td></tr>'
        for file in files_of(context, work, season, request.path)
    )
    genres = " ".join(f"[{genre}]" for genre in work.genres)
    facts = (
        f"TITRE ORIGINAL : {escaped(', '.join(work.other_titles))}<br>\n"
        f"ANNÉE(S) DE PRODUCTION : {work.year}<br>\nSTUDIO : [{work.studio}]<br>\n"
        f"GENRES : {genres}<br>\nAUTEUR : [Collectif]<br>\n"
    )
    body = f"""<h1>{escaped(title)}</h1>
<div class="AUVideoPlayer" data-serie="{number}"></div>
<div class="principal_contain"><img src="{poster}">{facts}SYNOPSIS : {escaped(work.synopsis)}</div>
<script>jwplayer('player').setup({{'file' : '{address.path}/playlist-{number}.xml'}});</script>
<table>{rows}</table>"""
    head = (
        f'<meta property="og:image" content="{poster}">'
        f'<meta name="description" content="{escaped(work.synopsis)}">'
    )
    return _page(title, body, address, head)


def _file_name(file: UltimeFile) -> str:
    return f"{file.work.slug}-{file.number or file.label}-{file.lang}"


def _playlist(context: Context, request: Request, address: Address) -> Reply | None:
    """Served with a wrong end tag in every item, as the site does."""
    found = season_by_id(context, address.parts[0])
    if found is None or context.is_licensed(found[0], request.path):
        return None
    items = "\n".join(_item(file, address) for file in files_of(context, *found, request.path))
    text = (
        '<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/" '
        'xmlns:jwplayer="http://developer.longtailvideo.com/">\n<channel><title>Playlist</title>\n'
        f"{items}\n</channel></rss>\n"
    )
    return Reply(text.encode(), "application/xml")


def _item(file: UltimeFile, address: Address) -> str:
    url = f"{address.base}/stream-{file.idfile}.mp4"
    title = escaped(f"{title_of(file.work, file.season)} {file.number or file.label}")
    return (
        f"<item><title>{title}</title><description>Fansub Par {file.group}</description>"
        f"<pubDate>{file.episode.published_at:%Y-%m-%dT%H:%M:%S}+00:00</pubDate>"
        f'<media:content url="{url}" duration="{DURATION_SECONDS}" />'
        f'<media:thumbnail url="{poster_url(address.origin, file.work.slug)}" />'
        f"<jwplayer:mediaid>{file.idfile}</jwplayer:file>"
        f"<jwplayer:file>{address.base}/stream-{file.idfile}-sd.mp4</jwplayer:file>"
        f"<jwplayer:hd.file>{url}</jwplayer:hd.file>"
        "<jwplayer:provider>http</jwplayer:provider></item>"
    )


def _info(context: Context, request: Request, address: Address) -> Reply | None:
    file = file_by_id(context, address.parts[0], request.path)
    if file is None:
        return None
    title = f"{title_of(file.work, file.season)} {file.label} {file.lang}"
    if context.is_licensed(file.work, request.path):
        return _page(title, f"<h1>{escaped(title)}</h1><p>Série licenciée</p>", address)
    head = f'<meta property="og:video" content="{address.base}/stream-{file.idfile}.mp4">'
    body = f"<h1>{escaped(title)}</h1><p>Taille : 1 mo</p><p>Conteneur : mp4</p>"
    return _page(title, body, address, head)


def _history(context: Context, request: Request, address: Address) -> Reply:
    """The newest files by day."""
    days: dict[str, list[UltimeFile]] = {}
    for file in _newest(context, request.path):
        moment = file.episode.published_at
        day = f"{_DAYS[moment.weekday()]} {moment:%d/%m} :"
        days.setdefault(day, []).append(file)
    tables = "\n".join(f"<h3>{day}</h3>{_release_table(files)}" for day, files in days.items())
    return _page("Historique", f'<div class="history">{tables}</div>', address)


def _newest(context: Context, path: str) -> list[UltimeFile]:
    files = [
        file for work, season in seasons(context) for file in files_of(context, work, season, path)
    ]
    files.sort(key=lambda file: file.episode.published_at, reverse=True)
    return files[:_MOST_RELEASES]


def _release_table(files: list[UltimeFile]) -> str:
    rows = "\n".join(
        f'<tr><td><a href="file-0-1/{_name(file.work, file.season)}">'
        f"{escaped(title_of(file.work, file.season))}</a></td><td>{file.number}</td>"
        f"<td>{file.group}</td><td>{file.lang}</td><td>Episode</td></tr>"
        for file in files
    )
    head = "<tr><th>Titre</th><th>Ep.</th><th>Fansub</th><th></th><th>Type</th></tr>"
    return f'<table class="jtable">{head}\n{rows}\n</table>'


def _authorise(context: Context, request: Request, address: Address) -> Reply | None:
    """First a wait, then a link."""
    file = file_by_id(context, request.form().get("idfile", ""), request.path)
    if file is None or context.is_licensed(file.work, request.path):
        return Reply(b'{"auth":false,"wait":0,"link":""}', "application/json")
    now = time.monotonic()
    if len(context.ready_at) > _MOST_WAITS:
        context.ready_at.clear()
    left = context.ready_at.setdefault(file.idfile, now + _WAIT_SECONDS) - now
    if left > 0:
        granted: dict[str, object] = {"auth": False, "wait": _WAIT_SECONDS, "link": ""}
    else:
        granted = {"auth": True, "wait": 0, "link": f"{address.path}/stream-{file.idfile}.mp4"}
    return Reply(json.dumps(granted).encode(), "application/json")


def _stream(context: Context, request: Request, address: Address) -> Reply | None:
    file = file_by_id(context, address.parts[0], request.path)
    if file is None:
        return None
    clip = context.clip(file.episode.uid)
    quality = "-360p" if address.parts[1] else ""
    location = f"{address.origin}/media/{clip.name if clip else ''}{quality}.mp4"
    return Reply(status=HTTPStatus.FOUND, headers={"Location": location})


ROUTES = (
    route(r"/(?:index-0-1)?", _home),
    route(r"/search-0-1(?:\+([^/]*))?/?", _search),
    route(r"/search/searchSuggest\.php", _suggestions),
    route(r"/series-0-1/(\w+)/[^/]*", _catalogue),
    route(r"/file-0-1/(\d+)(?:-[^/]*)?", _series),
    route(r"/playlist-(\d+)\.xml", _playlist),
    route(r"/info-0-1/(\d+)(?:/.*)?", _info),
    route(r"/history-0-1/(?:\d{6}[ADT]?)?", _history),
    route(r"/ddl/authorized_download\.php", _authorise),
    route(r"/stream-(\d+)(-sd)?\.mp4", _stream),
)

"""neko-sama in its classic form: search databases, series pages in both encodings, episodes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from providers.demo import hosts
from providers.demo.addresses import neko_id, neko_path, neko_slug
from providers.demo.context import Context, escaped, page, poster_url
from providers.demo.routing import Address, route, routed
from providers.demo.wire import Reply, Request
from providers.demo.works import Episode, NekoEncoding, ProviderId, Season, Work

PREFIX = "/nekosama"
_GENRES = {"Comédie": "c0m1dy", "Science-fiction": "sci-fi"}
_MOST_RELEASES = 12

_Series = tuple[Work, Season, str]


def answer(context: Context, request: Request) -> Reply | None:
    """A page of the site."""
    return routed(_ROUTES, context, request, PREFIX)


def _all_series(context: Context) -> Iterator[_Series]:
    for work in context.catalogue.of(ProviderId.NEKOSAMA):
        for season in work.seasons:
            for lang in season.offered:
                yield work, season, lang


def _title(work: Work, season: Season) -> str:
    place = work.seasons.index(season) + 1
    return work.title if place == 1 else f"{work.title} {place}"


def _numbered(context: Context, season: Season, lang: str, path: str) -> list[Episode]:
    """Specials are not listed here."""
    return [each for each in context.listed(season, lang, path) if not each.is_special]


def _database(context: Context, _request: Request, address: Address) -> Reply:
    lang = address.parts[0] or "vostfr"
    entries = [
        _entry(work, season, lang, address)
        for work, season, each in _all_series(context)
        if each == lang
    ]
    return Reply(json.dumps(entries, ensure_ascii=False).encode(), "application/json")


def _entry(work: Work, season: Season, lang: str, address: Address) -> Mapping[str, object]:
    is_airing = work.is_airing and season is work.seasons[-1]
    others = [work.title, *work.other_titles]
    return {
        "id": neko_id(work, season, lang),
        "title": _title(work, season),
        "title_english": work.other_titles[-1] if work.other_titles else "",
        "title_romanji": work.other_titles[0] if work.other_titles else None,
        "title_french": None,
        "others": " ".join(others),
        "type": "m0v1e" if work.kind == "Film" else "tv",
        "status": "1" if is_airing else "2",
        "popularity": 12.0 - work.number / 2,
        "url": PREFIX + neko_path(work, season, lang),
        "genres": [_GENRES.get(genre, genre.lower()) for genre in work.genres],
        "url_image": poster_url(address.origin, work.slug),
        "score": f"{4.9 - work.number / 10:.2f}",
        "start_date_year": str(work.year),
        "nb_eps": "? Eps" if is_airing else f"{len(season.in_language(lang))} Eps",
    }


def _home(context: Context, request: Request, address: Address) -> Reply:
    releases = [
        (episode, work, season, lang)
        for work, season, lang in _all_series(context)
        for episode in _numbered(context, season, lang, request.path)
    ]
    releases.sort(key=lambda each: each[0].published_at, reverse=True)
    entries = [
        {
            "title": _title(work, season),
            "episode": f"Ep. {episode.number}",
            "url": _episode_path(work, season, episode, lang),
            "anime_url": PREFIX + neko_path(work, season, lang),
            "url_image": poster_url(address.origin, work.slug),
            "url_bg": poster_url(address.origin, work.slug),
            "timestamp": int(episode.published_at.timestamp()),
            "icons": f'<span class="vers">{lang.upper()}</span>',
        }
        for episode, work, season, lang in releases[:_MOST_RELEASES]
    ]
    return page("Neko-Sama", f"<script>var lastEpisodes = {json.dumps(entries)};</script>")


def _listing(context: Context, _request: Request, address: Address) -> Reply:
    lang = address.parts[0] or "vostfr"
    rows = "\n".join(
        f'<div class="anime"><div class="cover"><img data-src="'
        f'{poster_url(address.origin, work.slug)}"></div><div class="info">'
        f'<a href="{PREFIX}{neko_path(work, season, lang)}">'
        f"{escaped(_title(work, season))}</a></div></div>"
        for work, season, each in _all_series(context)
        if each == lang
    )
    return page("Liste", f'{rows}<div class="nekosama pagination"><a class="active">1</a></div>')


def _series(context: Context, request: Request, address: Address) -> Reply | None:
    number, _, lang = address.parts
    for work, season, each in _all_series(context):
        if each == lang and str(neko_id(work, season, lang)) == number:
            episodes = _numbered(context, season, lang, request.path)
            episodes.reverse()
            return _series_page(work, season, lang, episodes, address)
    return None


def _series_page(
    work: Work, season: Season, lang: str, episodes: list[Episode], address: Address
) -> Reply:
    poster = poster_url(address.origin, work.slug)
    title = _title(work, season)
    is_airing = work.is_airing and season is work.seasons[-1]
    genres = "".join(f"<span>{genre}</span>" for genre in work.genres)
    listed = _as_script if work.neko_encoding is NekoEncoding.SCRIPT else _as_buttons
    body = f"""<div id="head" style="background-image: url({poster})"></div>
<div class="cover"><img src="{poster}"></div>
<h1>{escaped(title)} {lang.upper()}<small>{escaped(", ".join(work.other_titles))}</small></h1>
<div class="list">{genres}</div>
<div class="synopsis"><p>{escaped(work.synopsis)}</p></div>
<div id="anime-info-list">
<div class="item"><small>Score</small> 4.27/5</div>
<div class="item"><small>Format</small> {"Film" if work.kind == "Film" else "tv"}</div>
<div class="item"><small>Status</small> {"En cours" if is_airing else "Terminé"}</div>
<div class="item"><small>Episodes</small> {work.announced}</div>
<div class="item"><small>Diffusion</small> Jan {work.year} - {"?" if is_airing else "Dec"}</div>
</div>
{listed(work, season, lang, episodes, poster)}"""
    head = (
        f'<meta property="og:title" content="{escaped(title)}">'
        f'<meta property="og:image" content="{poster}">'
        f'<meta property="og:description" content="{escaped(work.synopsis)}">'
    )
    return page(f"{title} {lang.upper()}", body, head=head)


def _as_script(work: Work, season: Season, lang: str, episodes: list[Episode], poster: str) -> str:
    """The encoding until 2023."""
    entries = [
        {
            "time": "24 min",
            "episode": f"Ep. {episode.number}",
            "num": episode.number,
            "title": _title(work, season),
            "url": _episode_path(work, season, episode, lang),
            "url_image": poster,
        }
        for episode in episodes
    ]
    return f"<script>var episodes = {json.dumps(entries)};</script>"


def _as_buttons(
    work: Work, season: Season, lang: str, episodes: list[Episode], _poster: str
) -> str:
    """The encoding since."""
    title = escaped(_title(work, season))
    buttons = "\n".join(
        f'<a class="button" href="{_episode_path(work, season, episode, lang)}">'
        f"{title} - {episode.number} {lang.upper()} - {episode.number}</a>"
        for episode in episodes
    )
    return f'<div class="episodes">\n{buttons}\n</div>'


def _episode_path(work: Work, season: Season, episode: Episode, lang: str) -> str:
    number = neko_id(work, season, lang)
    return f"{PREFIX}/anime/episode/{number}-{neko_slug(work, season)}-{episode.number:02d}_{lang}"


def _episode(context: Context, request: Request, address: Address) -> Reply | None:
    number, _, episode_number, lang = address.parts
    for work, season, each in _all_series(context):
        if each == lang and str(neko_id(work, season, lang)) == number:
            for episode in season.in_language(lang):
                if episode.number == int(episode_number) > 0:
                    return _episode_page(work, season, episode, request.origin)
    return None


def _episode_page(work: Work, season: Season, episode: Episode, origin: str) -> Reply:
    # The second player is missing now and then.
    second = hosts.sendvid_url(origin, episode.uid) if episode.number % 2 else ""
    script = (
        f"var video = [];\nvideo[0] = '{hosts.hls_url(origin, episode)}';\nvideo[1] = '{second}';\n"
    )
    title = escaped(f"{_title(work, season)} {episode.number}")
    return page(title, f"<h1>{title}</h1><script>{script}</script>")


_ROUTES = (
    route("/", _home),
    route(r"/animes-search(?:-(vostfr|vf))?\.json", _database),
    route(r"/anime(?:-(vf))?(?:/\d*)?", _listing),
    route(r"/anime/info/(\d+)-([^/]+?)[_-](vostfr|vf)/?", _series),
    route(r"/anime/episode/(\d+)-([^/]+)-(\d+)_(vostfr|vf)/?", _episode),
)

"""anime-sama's pages as HTML, in the shapes that the site has had from 2025 to 2026."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from providers.demo.context import Context, escaped, page, poster_url
from providers.demo.wire import Reply
from providers.demo.works import CardLayout, Episode, ProviderId, Season, Work

_MOST_RELEASES = 12
_WEEKDAYS = ("Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi", "Samedi", "Dimanche")
_FLAGS = {"vostfr": ("VOSTFR", "JP"), "vf": ("VF", "FR")}
_TEMPLATE = """/*
    resetListe();
    creerListe(1, 12);
    newSP("0");
    newSPF("Nom de l'épisode");
    finirListe(13);
*/"""


def home(context: Context, base: str) -> Reply:
    """The newest episodes of all works."""
    cards = "".join(_release(*each, base) for each in _newest(context))
    body = (
        '<h2>Derniers épisodes ajoutés</h2><div id="containerAjoutsAnimes">'
        f'{cards}</div><div id="containerAjoutsScans"></div><div id="containerClassiques"></div>'
    )
    return page("Anime-Sama", body)


def _newest(context: Context) -> list[tuple[Work, Season, Episode]]:
    found = [
        (work, season, episode)
        for work in context.catalogue.of(ProviderId.ANIMESAMA)
        for season in work.seasons
        for episode in season.in_language("vostfr")
    ]
    return sorted(found, key=lambda each: each[2].published_at, reverse=True)[:_MOST_RELEASES]


def _release(work: Work, season: Season, episode: Episode, base: str) -> str:
    moment = episode.published_at
    return (
        f'<div class="anime-card-premium" data-release-ts="{moment.timestamp():.0f}">'
        f'<a href="{base}/catalogue/{work.slug}/{season.path}/vostfr/">'
        f'<img class="card-image" src="{poster_url(_origin(base), work.slug)}" '
        f'alt="{escaped(work.title)}"><span class="badge-text">{work.kind}</span>'
        '<img class="flag-icon" src="/autres/flag_jp.png" alt="VOSTFR">'
        f'<h3 class="card-title">{escaped(work.title)}</h3>'
        f'<span class="info-text">{escaped(season.label)} {escaped(episode.name)}</span>'
        f'<span class="time-text">{moment:%d/%m/%Y %H:%M}</span></a></div>\n'
    )


def planning(context: Context, base: str) -> Reply:
    """The week: airing works on the day of their latest episode."""
    newest = {
        work.slug: work.seasons[-1].episodes[-1]
        for work in context.catalogue.of(ProviderId.ANIMESAMA)
        if work.is_airing
    }
    days = []
    for weekday, name in enumerate(_WEEKDAYS):
        cards = "".join(
            _planned(context.catalogue.work(slug), episode, base)
            for slug, episode in newest.items()
            if episode.published_at.weekday() == weekday
        )
        days.append(f'<h2 class="titreJours">{name}</h2><div>{cards}</div>')
    return page("Planning", "\n".join(days))


def _planned(work: Work, episode: Episode, base: str) -> str:
    moment = episode.published_at
    return (
        f'<div class="planning-card Anime VOSTFR" data-title="{escaped(work.title)}" '
        f'data-release-ts="{moment.timestamp():.0f}">'
        f'<a href="{base}/catalogue/{work.slug}/{work.seasons[-1].path}/vostfr/">'
        f'{escaped(work.title)}</a><span class="info-text">{moment:%Hh%M}</span></div>'
    )


def catalogue(works: list[Work], layout: CardLayout, base: str) -> Reply:
    """The cards of works in one of the three layouts."""
    card = {
        CardLayout.OCTOBER_2026: _card_of_2026_10,
        CardLayout.FEBRUARY_2026: _card_of_2026_02,
        CardLayout.YEAR_2025: _card_of_2025,
    }[layout]
    cards = "\n".join(card(work, base) for work in works)
    body = (
        f'<form action="{base}/catalogue/" method="get"><input name="search"></form>'
        f'<div id="list_catalog">\n{cards}\n</div>'
        '<div id="list_pagination"><a href="?page=1">1</a></div>'
    )
    return page("Catalogue", body)


def _languages(work: Work) -> list[str]:
    return sorted({lang for season in work.seasons for lang in season.offered}, reverse=True)


def _flags(work: Work) -> Iterator[tuple[str, str]]:
    return (_FLAGS.get(lang, (lang.upper(), lang.upper())) for lang in _languages(work))


def _card_of_2026_10(work: Work, base: str) -> str:
    flags = "".join(f'<img src="/autres/flag.png" title="{name}">' for name, _ in _flags(work))
    # This layout has root-relative addresses without a trailing slash.
    return (
        f'<div class="as-carte" data-url="{_path(base)}/catalogue/{work.slug}" '
        f'data-nom="{escaped(work.title)}" data-img="{poster_url(_origin(base), work.slug)}">'
        f'<h3>{escaped(work.title)}</h3><span class="as-badge as-badge-type">{work.kind}</span>'
        f"{flags}</div>"
    )


def _card_of_2026_02(work: Work, base: str) -> str:
    genres = "".join(f'<span class="genre-tag">{genre}</span>' for genre in work.genres[:5])
    flags = "".join(f'<img class="lang-flag" title="{flag}">' for _, flag in _flags(work))
    return (
        f'<div class="catalog-card card-base"><a href="{base}/catalogue/{work.slug}/">'
        f'<img class="card-image" src="{poster_url(_origin(base), work.slug)}">'
        f'<h2 class="card-title">{escaped(work.title)}</h2>'
        f'<p class="alternate-titles">{escaped(", ".join(work.other_titles))}</p>'
        f'<div class="genre-tags">{genres}</div>'
        f'<div class="type-row"><span class="info-value">{work.kind}</span></div>'
        f'<div class="lang-flags">{flags}</div>'
        f'<div class="synopsis-content">{escaped(work.synopsis)}</div></a></div>'
    )


def _card_of_2025(work: Work, base: str) -> str:
    languages = ", ".join(name for name, _ in _flags(work))
    return (
        f'<div><a href="{base}/catalogue/{work.slug}"><div>'
        f'<img class="imageCarteHorizontale" src="{poster_url(_origin(base), work.slug)}">'
        f"<h1>{escaped(work.title)}</h1><p>{escaped(', '.join(work.other_titles))}</p>"
        f"<p>{', '.join(work.genres)}</p><p>{work.kind}</p><p>{languages}</p></div></a></div>"
    )


def suggestions(works: list[Work], base: str) -> Reply:
    """What the search box gets; nothing at all for no hit."""
    hits = "".join(
        f'<a href="{base}/catalogue/{work.slug}/" class="asn-search-result">'
        f'<img class="asn-search-result-img" src="{poster_url(_origin(base), work.slug)}">'
        f'<div><h3 class="asn-search-result-title">{escaped(work.title)}</h3>'
        f'<p class="asn-search-result-subtitle">{escaped(", ".join(work.other_titles))}</p>'
        "</div></a>\n"
        for work in works
    )
    return Reply(hits.encode())


def fiche(work: Work, base: str) -> Reply:
    """The page of a work; its seasons are calls of a script, among templates and comments."""
    poster = poster_url(_origin(base), work.slug)
    genres = "".join(f'<span class="genre-pill">{genre}</span>' for genre in work.genres)
    state = "En cours" if work.is_airing else "Terminé"
    body = f"""<h1>{escaped(work.title)}</h1>
<h2 id="titreAlter">{escaped(", ".join(work.other_titles))}</h2>
<img id="coverOeuvre" src="{poster}">
<p id="synopsisText">{escaped(work.synopsis)}</p>
<div class="genres-wrap">{genres}</div>
<dl class="oe-infos"><dt>Statut</dt><dd>{state}</dd><dt>Diffusion</dt><dd>{work.year}</dd>
<dt>Épisodes</dt><dd>{work.announced}</dd><dt>Studio</dt><dd>{work.studio}</dd></dl>
<div class="info-grid"><div class="info-card"><span class="info-lbl">État</span>
<span class="info-val">{state}</span></div></div>
<div id="saisons">
<!-- <script>panneauAnime("Ancienne saison", "saison0/vostfr");</script> -->
<script>
function panneauAnime(nom, url) {{
    document.write('<a href="' + url + '">' + nom + '</a>');
}}
/*
panneauAnime("nom", "url");
panneauAnime("Saison 9", "saison9/vostfr");
*/
panneauAnime("nom", "url");
{chr(10).join(_panels(work))}
// panneauAnime("Brouillon", "saison8/vostfr");
panneauScan("Scans", "scan/vf");
</script></div>"""
    return page(work.title, body, head=f'<meta property="og:image" content="{poster}">')


def _panels(work: Work) -> Iterator[str]:
    """One default language for each season; some works list every one."""
    for season in work.seasons:
        languages: Iterable[str] = season.offered if work.lists_all_languages else ("vostfr",)
        for lang in languages:
            yield f'panneauAnime({json.dumps(season.label)}, "{season.path}/{lang}");'


def season(work: Work, season: Season, lang: str, *, version: int) -> Reply:
    """The page of a season: a script names the episodes, another file holds the players."""
    flags = "".join(
        f'<a id="switch{name.upper()}" href="../{name}" style="display:none">{name}</a>'
        for name in ("vostfr", "vf", "va", "vkr", "vcn", "vqc", "vf1", "vf2", "vj", "var")
    )
    body = f"""<h3 id="titreOeuvre">{escaped(work.title)}</h3><h2 id="avOeuvre"></h2>
<img id="imgOeuvre" src="/posters/{work.slug}.png"><p id="messagePage"></p>
{flags}
<script>$("#avOeuvre").html({json.dumps(season.label)});</script>
<select id="selectEpisodes"></select><select id="selectLecteurs"></select>
<script src='episodes.js?filever={1000 + version}'></script>
<script>
function creerListe(debut, fin) {{ for (var i = debut; i <= fin; i++) ajouter("Episode " + i); }}
function newSPF(nom) {{ ajouter(nom); }}
resetListe();
finirListe(1);
</script>
<script>
{_TEMPLATE}
resetListe();
{chr(10).join(_naming(season, season.in_language(lang)))}
</script>"""
    return page(f"{work.title} - {season.label}", body)


def _naming(season: Season, episodes: list[Episode]) -> Iterator[str]:
    """The calls that name the episodes, as few as the site's authors would write."""
    specials = [place for place, episode in enumerate(episodes) if episode.is_special]
    start = 0
    for place in specials:
        if place > start:
            yield f"creerListe({episodes[start].number}, {episodes[place - 1].number});"
        name = episodes[place].name.replace("'", "\\'")
        yield f"newSPF('{name}');"
        start = place + 1
    following = episodes[start].number if start < len(episodes) else _next(season, episodes)
    yield f"finirListe({following});"


def _next(season: Season, episodes: list[Episode]) -> int:
    return max((episode.number for episode in episodes), default=season.first_number - 1) + 1


def _origin(base: str) -> str:
    return "/".join(base.split("/")[:3])


def _path(base: str) -> str:
    return base.removeprefix(_origin(base))

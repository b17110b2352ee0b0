"""Which address is followed for a work, by provider."""

from __future__ import annotations

from providers.demo.works import Catalogue, ProviderId, Season, Work


def slugs_of(catalogue: Catalogue, provider: ProviderId) -> list[str]:
    """The works that a provider lists."""
    return [work.slug for work in catalogue.of(provider)]


def provider_url(
    catalogue: Catalogue, provider: ProviderId, slug: str, *, season: str = "", lang: str = "vostfr"
) -> str:
    """The path of a series; the first season unless one is named. Raises KeyError."""
    work = catalogue.find(provider, slug)
    chosen = (work.season(season) if season else work.seasons[0]) if work else None
    if work is None or chosen is None:
        raise KeyError(f"{provider} has no series named {slug!r}")
    if provider is ProviderId.ANIMESAMA:
        return f"/animesama/catalogue/{slug}/{chosen.path}/{lang}/"
    if provider is ProviderId.NEKOSAMA:
        return "/nekosama" + neko_path(work, chosen, lang)
    if provider is ProviderId.ANIMEULTIME:
        return "/animeultime" + ultime_path(work, chosen)
    return f"/feeds/{slug}.xml"


def neko_path(work: Work, season: Season, lang: str) -> str:
    """neko-sama's page of a season in a language."""
    return f"/anime/info/{neko_id(work, season, lang)}-{neko_slug(work, season)}_{lang}"


def neko_id(work: Work, season: Season, lang: str) -> int:
    """neko-sama's number of a season in a language."""
    return 3000 + 10 * work.number + 2 * work.seasons.index(season) + (lang != "vostfr")


def neko_slug(work: Work, season: Season) -> str:
    """The readable part of neko-sama's addresses."""
    place = work.seasons.index(season) + 1
    return work.slug if place == 1 else f"{work.slug}-saison-{place}"


def ultime_id(work: Work, season: Season) -> int:
    """anime-ultime's number of a season."""
    return 5000 + 10 * work.number + work.seasons.index(season)


def ultime_path(work: Work, season: Season) -> str:
    """anime-ultime's page of a season, version 5."""
    place = work.seasons.index(season) + 1
    if place == 1:
        return f"/{ultime_name(work)}-streaming.html"
    return f"/{work.slug}-saison-{place}-streaming.html"


def ultime_name(work: Work) -> str:
    """A work's name in anime-ultime's addresses: "Tambours-Du-Nord"."""
    return "-".join(part.capitalize() for part in work.slug.split("-"))

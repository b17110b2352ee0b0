"""anime-sama's addresses: home, catalogue, search box, planning, works, seasons and players."""

from __future__ import annotations

import re
from http import HTTPStatus

from providers.demo import animesama_pages as pages
from providers.demo import hosts
from providers.demo.context import Context
from providers.demo.faults import FaultKind
from providers.demo.wire import Reply, Request
from providers.demo.works import Episode, ProviderId, Season, Work

PREFIX = "/animesama"
_LANGUAGES = frozenset({"vostfr", "vf", "vf1", "vf2", "va", "var", "vkr", "vcn", "vqc", "vj"})
_WORK = re.compile(r"/catalogue/([^/]+)/?")
_SEASON = re.compile(r"/catalogue/([^/]+)/([^/]+)/([^/]+)/?")
_SCRIPT = re.compile(r"/catalogue/([^/]+)/([^/]+)/([^/]+)/episodes\.js")
_CARDS_PER_PAGE = 48


def answer(context: Context, request: Request) -> Reply | None:
    """A page of the site."""
    path = request.path.removeprefix(PREFIX) or "/"
    base = request.origin + PREFIX
    if path == "/":
        return pages.home(context, base)
    if path.rstrip("/") == "/planning":
        return pages.planning(context, base)
    if path.rstrip("/") == "/catalogue":
        works = context.catalogue.search(ProviderId.ANIMESAMA, request.query.get("search", ""))
        return pages.catalogue(works[:_CARDS_PER_PAGE], context.catalogue.card_layout, base)
    if path == "/template-php/defaut/fetch.php":
        return _suggestions(context, request, base)
    if found := _SCRIPT.fullmatch(path):
        return _script(context, request, found)
    if found := _SEASON.fullmatch(path):
        return _season(context, found)
    if found := _WORK.fullmatch(path):
        work = context.catalogue.find(ProviderId.ANIMESAMA, found[1])
        return pages.fiche(work, base) if work else None
    return None


def _suggestions(context: Context, request: Request, base: str) -> Reply:
    if request.method != "POST":
        return Reply(b"", status=HTTPStatus.METHOD_NOT_ALLOWED)
    query = request.form().get("query", "").strip()
    found = context.catalogue.search(ProviderId.ANIMESAMA, query) if query else []
    return pages.suggestions(found, base)


def _named(context: Context, found: re.Match[str]) -> tuple[Work, Season] | None:
    work = context.catalogue.find(ProviderId.ANIMESAMA, found[1])
    season = work.season(found[2]) if work else None
    if work is None or season is None or found[3] not in _LANGUAGES:
        return None
    return work, season


def _season(context: Context, found: re.Match[str]) -> Reply | None:
    named = _named(context, found)
    if named is None:
        return None
    work, season = named
    return pages.season(work, season, found[3], version=len(season.episodes))


def _script(context: Context, request: Request, found: re.Match[str]) -> Reply | None:
    named = _named(context, found)
    if named is None:
        return None
    work, season = named
    is_blank = context.faults.find(FaultKind.BLANK_SCRIPT, request.path) is not None
    if is_blank or found[3] not in season.offered:
        return Reply(b"//", "application/javascript")
    episodes = context.listed(season, found[3], request.path)
    text = _players(episodes, request.origin, context.seed, is_airing=work.is_airing)
    return Reply(text.encode(), "application/javascript")


def _players(episodes: list[Episode], origin: str, seed: int, *, is_airing: bool) -> str:
    """The file: one list a player, with the gaps and slips of the real ones."""
    sibnet, sendvid, stream = [], [], []
    for place, episode in enumerate(episodes):
        # Each list lacks other episodes, so that every episode has at least two players.
        turn = (place + seed) % 6
        sibnet.append(hosts.sibnet_url(origin, "" if turn == 0 else episode.uid))
        sendvid.append("" if turn == 2 else _sendvid(origin, episode, turn))  # noqa: PLR2004
        stream.append("" if turn == 4 else hosts.hls_url(origin, episode))  # noqa: PLR2004
    if is_airing:
        # The next episode is announced by players that have no video yet.
        sibnet.append(hosts.sibnet_url(origin, ""))
        sendvid.append(f"{origin}/hosts/sendvid/embed/")
    return (
        f"var eps2 = [\n{_lines(sendvid)}];\n\n"
        f"// '{origin}/hosts/sendvid/1',\n"
        f"var eps1 = [\n{_lines(sibnet)}];\n\n"
        f"/* var eps4 = ['{origin}/hosts/dead/0']; */\n"
        f"var eps3 = [{', '.join(f'{chr(34)}{url}{chr(34)}' for url in stream)}];\n//"
    )


def _sendvid(origin: str, episode: Episode, turn: int) -> str:
    if turn == 5:  # noqa: PLR2004 -- now and then a host removes a video
        return hosts.dead_url(origin, episode.uid)
    return hosts.sendvid_url(origin, episode.uid)


def _lines(urls: list[str]) -> str:
    return "".join(f"'{url}',\n" for url in urls)

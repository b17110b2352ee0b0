"""anime-sama's addresses: home, catalogue, search box, planning, works, seasons and players."""

from __future__ import annotations

from http import HTTPStatus

from providers.demo import animesama_pages as pages
from providers.demo import hosts
from providers.demo.context import Context
from providers.demo.faults import FaultKind
from providers.demo.routing import Address, route, routed
from providers.demo.wire import Reply, Request
from providers.demo.works import Episode, ProviderId, Season, Work

PREFIX = "/animesama"
_LANGUAGES = frozenset({"vostfr", "vf", "vf1", "vf2", "va", "var", "vkr", "vcn", "vqc", "vj"})
_CARDS_PER_PAGE = 48
# Episodes take turns; in each turn another player is missing, so that at least one is left.
_TURNS = 6
_TURN_WITHOUT_SIBNET = 0
_TURN_WITHOUT_SENDVID = 2
_TURN_WITHOUT_HLS = 4
_TURN_WITH_DEAD_SENDVID = 5


def answer(context: Context, request: Request) -> Reply | None:
    """A page of the site."""
    return routed(_ROUTES, context, request, PREFIX)


def _home(context: Context, _request: Request, address: Address) -> Reply:
    return pages.home(context, address.base)


def _planning(context: Context, _request: Request, address: Address) -> Reply:
    return pages.planning(context, address.base)


def _catalogue(context: Context, request: Request, address: Address) -> Reply:
    works = context.catalogue.search(ProviderId.ANIMESAMA, request.query.get("search", ""))
    layout = context.catalogue.card_layout
    return pages.catalogue(works[:_CARDS_PER_PAGE], layout, address.base)


def _work(context: Context, _request: Request, address: Address) -> Reply | None:
    work = context.catalogue.find(ProviderId.ANIMESAMA, address.parts[0])
    return pages.fiche(work, address.base) if work else None


def _suggestions(context: Context, request: Request, address: Address) -> Reply:
    if request.method != "POST":
        return Reply(b"", status=HTTPStatus.METHOD_NOT_ALLOWED)
    query = request.form().get("query", "").strip()
    found = context.catalogue.search(ProviderId.ANIMESAMA, query) if query else []
    return pages.suggestions(found, address.base)


def _named(context: Context, address: Address) -> tuple[Work, Season] | None:
    slug, path, lang = address.parts
    work = context.catalogue.find(ProviderId.ANIMESAMA, slug)
    season = work.season(path) if work else None
    if work is None or season is None or lang not in _LANGUAGES:
        return None
    return work, season


def _season(context: Context, _request: Request, address: Address) -> Reply | None:
    named = _named(context, address)
    if named is None:
        return None
    work, season = named
    return pages.season(work, season, address.parts[2], version=len(season.episodes))


def _script(context: Context, request: Request, address: Address) -> Reply | None:
    named = _named(context, address)
    if named is None:
        return None
    work, season = named
    is_blank = context.faults.find(FaultKind.BLANK_SCRIPT, request.path) is not None
    if is_blank or address.parts[2] not in season.offered:
        return Reply(b"//", "application/javascript")
    episodes = context.listed(season, address.parts[2], request.path)
    text = _players(episodes, request.origin, context.seed, is_airing=work.is_airing)
    return Reply(text.encode(), "application/javascript")


def _players(episodes: list[Episode], origin: str, seed: int, *, is_airing: bool) -> str:
    """The file: one list a player, with the gaps and slips of the real ones."""
    sibnet, sendvid, stream = [], [], []
    for place, episode in enumerate(episodes):
        turn = (place + seed) % _TURNS
        sibnet.append(hosts.sibnet_url(origin, "" if turn == _TURN_WITHOUT_SIBNET else episode.uid))
        sendvid.append("" if turn == _TURN_WITHOUT_SENDVID else _sendvid(origin, episode, turn))
        stream.append("" if turn == _TURN_WITHOUT_HLS else hosts.hls_url(origin, episode))
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
    # Now and then a host removes a video.
    if turn == _TURN_WITH_DEAD_SENDVID:
        return hosts.dead_url(origin, episode.uid)
    return hosts.sendvid_url(origin, episode.uid)


def _lines(urls: list[str]) -> str:
    return "".join(f"'{url}',\n" for url in urls)


_ROUTES = (
    route("/", _home),
    route("/planning/?", _planning),
    route("/catalogue/?", _catalogue),
    route(r"/template-php/defaut/fetch\.php", _suggestions),
    route(r"/catalogue/([^/]+)/([^/]+)/([^/]+)/episodes\.js", _script),
    route("/catalogue/([^/]+)/([^/]+)/([^/]+)/?", _season),
    route("/catalogue/([^/]+)/?", _work),
)

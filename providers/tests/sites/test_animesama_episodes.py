from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from providers.errors import EmptyList, LayoutChanged, NotFound
from providers.sites.animesama_episodes import listings, offered, parse_players, season_number
from providers.sites.animesama_names import parse_names
from providers.sites.animesama_players import sources
from providers.streams import StreamKind
from providers.tests.sites.real_pages import real_page


def season_page(script: str, *, before: str = "") -> str:
    return (
        "<html><body><script src='episodes.js?filever=77'></script>"
        f"<script>resetListe(); finirListe(1);</script>{before}<script>{script}</script>"
        "</body></html>"
    )


def players(*columns: list[str]) -> str:
    return "\n".join(f"var eps{n} = {column!r};" for n, column in enumerate(columns, start=1))


def urls(count: int, host: str = "a") -> list[str]:
    return [f"https://{host}.example/{number}" for number in range(1, count + 1)]


def listed(script: str, page: str, season: str = "saison1") -> list[tuple[str, str, int, bool]]:
    return [
        (entry.ref, str(entry.number), entry.season, entry.is_special)
        for entry in listings(offered(script, page), season, "https://site.example/")
    ]


def test_each_list_is_a_player_and_each_place_an_episode() -> None:
    rows = parse_players(players(urls(3, "a"), urls(3, "b"), urls(2, "c")))
    # The site shows the second player first; lists may be of unequal length.
    assert rows == [
        ("https://b.example/1", "https://a.example/1", "https://c.example/1"),
        ("https://b.example/2", "https://a.example/2", "https://c.example/2"),
        ("https://b.example/3", "https://a.example/3", ""),
    ]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("var eps1 = ['u', '', 'w'];", [("u",), ("",), ("w",)]),
        ("var eps1 = ['u', null, 'w',];", [("u",), ("",), ("w",)]),
        ("var eps1 = ['u', , 'w'];", [("u",), ("",), ("w",)]),
        ("var eps1 = ['u', 'v', undefined]", [("u",), ("v",), ("",)]),
        ('var eps1=["u","v"];', [("u",), ("v",)]),
        ("var eps1 = [\n'u',\n//'old',\n'v',\n];\n//", [("u",), ("v",)]),
        ("/* var eps1 = ['x']; */ var eps1 = ['u'];", [("u",)]),
        ("var eps3 = ['w'];", [("w",)]),
        ("var eps2 = ['v']; var eps1 = ['u'];", [("v", "u")]),
        ("var eps10 = ['z']; var eps2 = ['v']; var eps3 = ['w'];", [("v", "w", "z")]),
        ("var epsAS = ['own']; var eps1 = ['u'];", [("u", "own")]),
        ("let eps1 = ['it\\'s \\u00e9 \\x41'];", [("it's é A",)]),
        ("var eps1 = ['https://h.example/a]b,c//d'];", [("https://h.example/a]b,c//d",)]),
        ("var eps1 = ['old']; var eps1 = ['new'];", [("new",)]),
    ],
)
def test_every_way_of_writing_the_lists_is_read(
    script: str, expected: list[tuple[str, ...]]
) -> None:
    assert parse_players(script) == expected


@pytest.mark.parametrize("script", ["", "//", " // \n", "\ufeff//\n/* nothing yet */"])
def test_a_blank_file_is_a_season_that_is_not_there(script: str) -> None:
    with pytest.raises(NotFound):
        parse_players(script)


@pytest.mark.parametrize("script", ["<html>soon</html>", "var other = ['u'];", "eps1"])
def test_a_file_without_lists_is_a_changed_layout(script: str) -> None:
    with pytest.raises(LayoutChanged, match=r"episodes\.js"):
        parse_players(script)


@pytest.mark.parametrize(
    "placeholder",
    [
        "",
        "https://video.sibnet.ru/shell.php?videoid=",
        "https://vidmoly.to/embed-.html",
        "https://sendvid.com/embed/",
        "https://vk.com/video_ext.php?oid=&hd=3",
        "javascript:alert(1)",
        "https://a.example/" + "x" * 2_000,
    ],
)
def test_an_unpublished_episode_is_absent_and_keeps_its_place(placeholder: str) -> None:
    script = players(["https://a.example/1", placeholder, "https://a.example/3"])
    found = listed(script, season_page("resetListe(); finirListe(1);"))
    assert [ref for ref, *_ in found] == ["saison1/Episode 1", "saison1/Episode 3"]


def test_a_season_with_placeholders_alone_is_suspect() -> None:
    with pytest.raises(EmptyList):
        offered(players(["", ""]), season_page("resetListe();"))
    with pytest.raises(EmptyList):
        offered("var eps1 = [];", season_page("resetListe();"))


@pytest.mark.parametrize(
    ("script", "names"),
    [
        ("", ["Episode 1", "Episode 2", "Episode 3"]),
        ("resetListe(); finirListe(13);", ["Episode 13", "Episode 14", "Episode 15"]),
        (
            "resetListe(); creerListe(5, 6); newSP('6.5');",
            ["Episode 5", "Episode 6", "Episode 6.5"],
        ),
        (
            "resetListe(); newSPF('EggHead SP 1'); finirListe(1089);",
            ["EggHead SP 1", "Episode 1089", "Episode 1090"],
        ),
        (
            "resetListe(); finirListeOP(1089);",
            ["Episode 1089", "Episode 1090", "Episode 1091"],
        ),
        (
            'resetListe(); finirListe(1); newSPF("L\'épilogue");',
            ["Episode 1", "Episode 2", "L'épilogue"],
        ),
        ("resetListe(); newSP(0); creerListe(1, 9);", ["Episode 0", "Episode 1", "Episode 2"]),
        ("resetListe(); newSP(7);", ["Episode 7", "Episode 8", "Episode 9"]),
        # The page is renewed later than the players: the next number is as good as sure.
        ("resetListe(); creerListe(23, 24);", ["Episode 23", "Episode 24", "Episode 25"]),
        ("resetListe(); newSPF('OAV'); creerListe(1, 1);", ["OAV", "Episode 1", "Episode 2"]),
        ("resetListe(); newSP(6); newSPF('OAV');", ["Episode 6", "OAV", "Episode 7"]),
        ("resetListe(); newSP('6.5'); newSPF('OAV 9');", ["Episode 6.5", "OAV 9", "Episode 7"]),
        ("resetListe(); newSPF('OAV 9');", ["OAV 9", "Episode 2", "Episode 3"]),
        ("resetListe(); creerListe(4); finirListe(2);", ["Episode 2", "Episode 3", "Episode 4"]),
        ("newSPF('gone'); resetListe(); finirListe(2);", ["Episode 2", "Episode 3", "Episode 4"]),
        (
            "function newSP(x) {} function resetListe() {} resetListe(); finirListe(3);",
            ["Episode 3", "Episode 4", "Episode 5"],
        ),
        (
            "/* newSPF('no'); */ resetListe();\n// newSP(40)\nnewSPF('L\\'été (2)');finirListe(1);",
            ["L'été (2)", "Episode 1", "Episode 2"],
        ),
        ("resetListe(); creerListe(1, 99999999);", ["Episode 1", "Episode 2", "Episode 3"]),
    ],
)
def test_the_naming_script_is_followed(script: str, names: list[str]) -> None:
    assert parse_names(season_page(script), 3) == names


def test_a_script_inside_a_comment_names_nothing() -> None:
    commented = "<!-- <script>resetListe(); newSPF('Texte');</script> -->"
    page = season_page("resetListe(); finirListe(7);", before=commented)
    assert parse_names(page, 1) == ["Episode 7"]


def test_a_page_that_breaks_off_in_a_script_is_a_changed_layout() -> None:
    page = season_page("resetListe(); newSPF('Prologue'); finirListe(1);")
    with pytest.raises(LayoutChanged, match="season page"):
        parse_names(page[: page.index("Prologue")], 3)


def test_a_page_that_is_no_season_page_is_a_changed_layout() -> None:
    with pytest.raises(LayoutChanged, match="season page"):
        parse_names("<html><script>document.title = 'Accueil';</script></html>", 3)


def test_a_page_that_names_episodes_is_one_however_it_loads_their_players() -> None:
    page = "<html><script>resetListe(); finirListe(7);</script></html>"
    assert parse_names(page, 1) == ["Episode 7"]


def test_a_special_inserted_before_keeps_identity() -> None:
    before = listed(players(urls(2)), season_page("resetListe(); finirListe(1089);"))
    page = season_page("resetListe(); newSPF('EggHead SP 1'); finirListe(1089);")
    after = listed(players(urls(3)), page)
    assert after[0] == ("saison1/EggHead SP 1", "1", 0, True)
    assert after[1:] == before
    assert before[0] == ("saison1/Episode 1089", "1089", 1, False)


def test_specials_are_counted_by_themselves() -> None:
    script = "resetListe(); newSPF('Prologue'); newSPF('SP 2'); newSPF('Bilan'); finirListe(1);"
    found = listed(players(urls(4)), season_page(script))
    assert [(ref, number) for ref, number, *_ in found] == [
        ("saison1/Prologue", "1"),
        ("saison1/SP 2", "2"),
        ("saison1/Bilan", "3"),
        ("saison1/Episode 1", "1"),
    ]


def test_the_same_name_twice_is_two_episodes() -> None:
    page = season_page("resetListe(); newSP(1); newSP(1); newSPF('Film'); newSPF('Film');")
    assert [ref for ref, *_ in listed(players(urls(4)), page)] == [
        "saison1/Episode 1",
        "saison1/Episode 1 (2)",
        "saison1/Film",
        "saison1/Film (2)",
    ]


def test_half_numbers_stay_and_zeros_in_front_go() -> None:
    page = season_page("resetListe(); newSP('012.5'); newSP('013');")
    found = listings(offered(players(urls(2)), page), "saison2-1", "")
    assert [(entry.number, entry.season, entry.title) for entry in found] == [
        (Decimal("12.5"), 2, ""),
        (Decimal(13), 2, ""),
    ]


def test_films_are_counted_in_season_zero_and_are_no_specials() -> None:
    page = season_page("resetListe(); newSPF('Blood Moon'); newSPF('La Tour');")
    assert listed(players(urls(2)), page, "film") == [
        ("film/Blood Moon", "1", 0, False),
        ("film/La Tour", "2", 0, False),
    ]


@pytest.mark.parametrize(
    ("season", "title"),
    [
        ("film", "Film"),
        ("film2", "Film 2"),
        ("oav", "OAV"),
        ("saison1hs", "Saison 1 hors-série"),
        ("kaihs", "Kai hors-série"),
        ("sans-fillers", "Sans fillers"),
    ],
)
def test_extras_without_a_name_are_called_by_their_kind(season: str, title: str) -> None:
    page = season_page("resetListe(); newSPF('Blood Moon'); finirListe(2);")
    found = listings(offered(players(urls(3)), page), season, "")
    assert [(entry.season, entry.title) for entry in found] == [
        (0, "Blood Moon"),
        (0, title),
        (0, title),
    ]


@pytest.mark.parametrize(
    ("season", "number"),
    [
        ("saison1", 1),
        ("saison12", 12),
        ("saison2-1", 2),
        ("saison1hs", 0),
        ("film", 0),
        ("film2", 0),
        ("oav", 0),
        ("kai", 1),
        ("kai2", 2),
        ("kaihs", 0),
    ],
)
def test_the_season_is_in_its_path(season: str, number: int) -> None:
    assert season_number(season) == number


def test_players_are_tried_best_first_with_the_right_referrer() -> None:
    found = sources(
        [
            "https://uqload.is/embed-1.html",
            "https://vidmoly.to/embed-1.html",
            "https://vk.com/video_ext.php?oid=1&id=2",
            "https://video.sibnet.ru/shell.php?videoid=1",
            "https://sendvid.com/embed/1",
            "https://s22.site.example/a%20b.mp4?x=1",
            "https://sendvid.com/embed/1",
        ],
        referer="https://site.example/season/",
        lang="vf",
    )
    assert [(source.url, source.kind, source.headers["Referer"]) for source in found] == [
        ("https://s22.site.example/a%20b.mp4?x=1", StreamKind.HTTP, "https://site.example/season/"),
        ("https://sendvid.com/embed/1", StreamKind.PAGE, "https://site.example/season/"),
        (
            "https://video.sibnet.ru/shell.php?videoid=1",
            StreamKind.PAGE,
            "https://video.sibnet.ru/shell.php?videoid=1",
        ),
        (
            "https://vk.com/video_ext.php?oid=1&id=2",
            StreamKind.PAGE,
            "https://site.example/season/",
        ),
        ("https://vidmoly.biz/embed-1.html", StreamKind.PAGE, "https://site.example/season/"),
        ("https://uqload.is/embed-1.html", StreamKind.PAGE, "https://site.example/season/"),
    ]
    assert {source.lang for source in found} == {"vf"}


PUMPS = ["'\\'", '"', "'", "`", "/*", "/* ", "//", "<!--", "<!-", "[", "newSP(", 'newSP("', "<a '"]


# A reader whose time grows faster than the text would need hours for this much.
@pytest.mark.timeout(30)
@pytest.mark.parametrize("pump", PUMPS)
def test_a_hostile_page_is_read_in_time_that_grows_with_its_length(pump: str) -> None:
    start = "var eps1 = ['u'];<script>// episodes.js\nresetListe(); newSP(4);"
    text = start + pump * 400_000 + "\n</script>"
    assert parse_players(text)[0] == ("u",)
    assert len(parse_names(text, 3)) == 3


def test_a_real_season_gives_its_500_episodes() -> None:
    saved = json.loads(
        real_page("anime-sama/naruto-shippuden_saison1_scraped-2025-03-25.json").read_text()
    )["episodes"]
    rows = [_links(episode, "vf") for episode in saved]
    width = max(map(len, rows))
    columns = [[row[n] if n < len(row) else "" for row in rows] for n in range(width)]
    found = listed(players(*columns), season_page("resetListe(); finirListe(1);"))
    assert len(found) == sum(any(row) for row in rows)
    numbers = [int(number) for _, number, *_ in found]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 500


def test_real_film_names_become_titles() -> None:
    saved = json.loads(
        real_page("anime-sama/naruto-shippuden_film_scraped-2025-03-25.json").read_text()
    )["episodes"]
    calls = "".join(f"newSPF({json.dumps(episode['name'])});" for episode in saved)
    columns = [_links(episode, "vostfr")[0] for episode in saved]
    slots = offered(players(columns), season_page(f"resetListe(); {calls}"))
    found = listings(slots, "film", "")
    assert [entry.title for entry in found] == [" ".join(e["name"].split()) for e in saved]
    assert {entry.season for entry in found} == {0}


def _links(episode: dict[str, Any], lang: str) -> list[str]:
    for links in episode["streaming_links"]:
        if links["language"] == lang:
            return list(links["players"])
    return [""]

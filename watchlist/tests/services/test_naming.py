"""Folder and file names that media servers read, whatever a title says."""

from __future__ import annotations

from decimal import Decimal

import pytest

from watchlist.services import naming
from watchlist.tests.factories import EpisodeFactory, SeriesFactory

pytestmark = pytest.mark.django_db


def stem(title: str, number: str = "7", *, season: int = 1, series: str = "Paper Lanterns") -> str:
    row = SeriesFactory.create(title=series)
    episode = EpisodeFactory.create(
        series=row, number=Decimal(number), season=season, title=title, ref=title + number
    )
    return naming.stem_of(row, episode)


def test_a_title_follows_the_number() -> None:
    assert stem("The Long Night") == "Paper Lanterns - S01E07 - The Long Night"


@pytest.mark.parametrize("title", ["", "Episode 7", "Épisode 07", "Ep. 7", "#7", "7"])
def test_a_title_that_only_repeats_the_number_is_left_out(title: str) -> None:
    assert stem(title) == "Paper Lanterns - S01E07"


@pytest.mark.parametrize(
    ("title", "rest"),
    [
        ("Paper Lanterns - Episode 7", ""),
        ("Paper Lanterns: The Long Night", " - The Long Night"),
        ("PAPER LANTERNS 7", ""),
    ],
)
def test_a_title_that_repeats_the_series_says_it_once(title: str, rest: str) -> None:
    assert stem(title) == f"Paper Lanterns - S01E07{rest}"


@pytest.mark.parametrize(
    ("title", "rest"),
    [
        ("S01E07 - The Long Night", " - The Long Night"),
        ("Paper Lanterns S1E07 The Long Night", " - The Long Night"),
        ("Episode 7: The Long Night", " - The Long Night"),
        ("S01E07", ""),
        ("Episode 8 was lost", " - Episode 8 was lost"),
        ("7 Days", " - 7 Days"),
    ],
)
def test_a_title_that_begins_with_its_own_number_says_it_once(title: str, rest: str) -> None:
    assert stem(title) == f"Paper Lanterns - S01E07{rest}"


@pytest.mark.parametrize(
    ("number", "written"), [("7", "07"), ("12.5", "12.5"), ("7.5", "07.5"), ("1089", "1089")]
)
def test_numbers_are_written_as_media_servers_read_them(number: str, written: str) -> None:
    assert stem("", number) == f"Paper Lanterns - S01E{written}"


def test_specials_are_season_zero() -> None:
    assert stem("", "1", season=0) == "Paper Lanterns - S00E01"
    assert naming.folder_of(SeriesFactory.create(title="X"), 0) == "X/Season 00"


def test_a_film_and_a_special_of_one_work_have_names_of_their_own() -> None:
    assert stem("Film", "1", season=0) == "Paper Lanterns - S00E01 - Film"
    assert stem("OAV", "1", season=0) == "Paper Lanterns - S00E01 - OAV"
    assert stem("Film 2", "2", season=0) == "Paper Lanterns - S00E02 - Film 2"


@pytest.mark.parametrize(
    "title",
    [
        "../../etc/passwd",
        "..",
        "/",
        "a\x00b",
        "CON",
        "nul.txt",
        "x" * 300,
        "漢" * 300,
        "\u202egpj.exe",
        "~",
        "-rf",
        "...",
        "🎏" * 100,
        "trailing. ",
    ],
)
def test_a_hostile_title_stays_one_name_within_the_limits(title: str) -> None:
    series = SeriesFactory.create(title=title.replace("\x00", "") or "x")
    episode = EpisodeFactory.create(
        series=series, number=Decimal(1), title=title.replace("\x00", "")
    )
    folder = naming.folder_of(series, 1)
    name = naming.stem_of(series, episode)
    assert folder.count("/") == 1
    assert folder.split("/")[0] not in {"", ".", ".."}
    assert not folder.startswith((".", "-"))
    assert "/" not in name
    assert "\u202e" not in name
    assert len(f"{name} [1080p VOSTFR].mp4".encode()) <= 255

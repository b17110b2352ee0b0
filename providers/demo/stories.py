"""The invented works of the demo site."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from providers.demo.works import Episode, NekoEncoding, ProviderId, Season, Work, utc_now

_EVERYWHERE = tuple(ProviderId)
_SAMA = (ProviderId.ANIMESAMA,)
_SAMA_AND_NEKO = (ProviderId.ANIMESAMA, ProviderId.NEKOSAMA)
_SAMA_AND_ULTIME = (ProviderId.ANIMESAMA, ProviderId.ANIMEULTIME)
_WEEK = timedelta(days=7)
_CATS = ("Episode 1", "Episode 2", "Épisode spécial : l'encre bleue", "Episode 3", "Episode 4")


@dataclass(frozen=True, slots=True)
class _Run:
    """A season as it was shown: an episode a week, the last one so many weeks ago."""

    path: str
    label: str
    names: tuple[str, ...]
    weeks_ago: int
    first_number: int = 1
    dubbed: int = 0  # how many episodes there are in French


@dataclass(frozen=True, slots=True)
class _Story:
    """A work without its seasons, and how they were shown."""

    work: Work
    runs: tuple[_Run, ...]


class _Counter:
    """Gives episodes their numbers in the site and their dates."""

    def __init__(self, first_uid: int = 100) -> None:
        self._uid = first_uid
        self._now = utc_now().replace(microsecond=0)

    def work(self, story: _Story) -> Work:
        return replace(story.work, seasons=[self._season(run) for run in story.runs])

    def _season(self, run: _Run) -> Season:
        season = Season(run.path, run.label, run.first_number)
        for place, name in enumerate(run.names):
            self._uid += 1
            weeks = run.weeks_ago + len(run.names) - 1 - place
            digits = name.removeprefix("Episode ")
            number = int(digits) if digits.isdecimal() else 0
            aired_at = self._now - weeks * _WEEK - timedelta(hours=3)
            season.episodes.append(Episode(self._uid, name, number, aired_at))
        season.offered["vostfr"] = len(run.names)
        if run.dubbed:
            season.offered["vf"] = run.dubbed
        return season


def _numbered(first: int, last: int) -> tuple[str, ...]:
    return tuple(f"Episode {number}" for number in range(first, last + 1))


def invented_works() -> list[Work]:
    """All works as they are when the site starts."""
    counter = _Counter()
    return [counter.work(story) for story in _STORIES]


def plain_works(count: int) -> list[Work]:
    """Works of twelve episodes in every format, for those who need many."""
    counter = _Counter(first_uid=10_000)
    run = _Run("saison1", "Saison 1", _numbered(1, 12), weeks_ago=4)
    return [counter.work(_Story(_plain(number), (run,))) for number in range(1, count + 1)]


def _plain(number: int) -> Work:
    return Work(
        1000 + number,
        f"serie-{number}",
        f"Série {number}",
        "Une série parmi beaucoup d'autres.",
        ("Tranche de vie",),
        [],
        _EVERYWHERE,
    )


_STORIES = (
    _Story(
        Work(
            1,
            "les-horlogers-de-minuit",
            "Les Horlogers de minuit",
            "Chaque nuit, l'heure disparaît de la ville de Verrebrume. Mio, apprentie horlogère, "
            "découvre que quelqu'un démonte le temps pièce par pièce et qu'elle est la seule à "
            "entendre encore les cloches.",
            ("Mystère", "Fantastique", "Aventure"),
            [],
            _EVERYWHERE,
            ("Mayonaka no Tokeishi", "The Midnight Clockmakers"),
            is_airing=True,
            announced=24,
            groups=("Brume-Fansub", "Team-Cadran"),
        ),
        (_Run("saison1", "Saison 1", _numbered(1, 5), weeks_ago=0),),
    ),
    _Story(
        Work(
            2,
            "le-phare-des-brumes",
            "Le Phare des brumes",
            "Sur une île que les cartes oublient, deux sœurs gardent un phare dont la lumière "
            "ramène des navires perdus depuis un siècle.",
            ("Drame", "Surnaturel", "Tranche de vie"),
            [],
            _EVERYWHERE,
            ("Kiri no Toudai", "The Lighthouse of Mists"),
            year=2025,
            groups=("Brume-Fansub",),
            neko_encoding=NekoEncoding.BUTTONS,
        ),
        (_Run("saison1", "Saison 1", _numbered(1, 12), weeks_ago=20, dubbed=8),),
    ),
    _Story(
        Work(
            3,
            "jardin-d-acier",
            "Jardin d'acier",
            "Dans une colonie où plus rien ne pousse, un robot jardinier trouve une graine et "
            "décide de désobéir.",
            ("Science-fiction", "Mecha", "Aventure"),
            [],
            _EVERYWHERE,
            ("Hagane no Niwa", "Garden of Steel"),
            year=2024,
            studio="Atelier Cobalt",
            announced=16,
            lists_all_languages=True,
        ),
        (
            _Run("saison1", "Saison 1", _numbered(1, 10), weeks_ago=60),
            _Run("saison2", "Saison 2", _numbered(1, 6), weeks_ago=8),
        ),
    ),
    _Story(
        Work(
            4,
            "la-bibliotheque-des-chats-de-lune",
            "La Bibliothèque des chats de lune",
            "Une bibliothèque n'ouvre qu'à la pleine lune, et ses gardiens ont des moustaches. "
            "Pour retrouver le livre de sa grand-mère, Aoi doit apprendre leurs règles.",
            ("Comédie", "Fantastique", "Tranche de vie"),
            [],
            _SAMA,
            ("Tsukineko Toshokan",),
            announced=5,
        ),
        (_Run("saison1", "Saison 1", _CATS, weeks_ago=3),),
    ),
    _Story(
        Work(
            5,
            "cobalt-neuf",
            "Cobalt Neuf",
            "Neuf pilotes, une seule ligne de ravitaillement, et une course autour de Saturne "
            "que personne n'a jamais finie.",
            ("Action", "Science-fiction", "Sport"),
            [],
            _SAMA_AND_NEKO,
            ("Cobalt Nine",),
            studio="Atelier Cobalt",
            announced=120,
        ),
        (_Run("saison6", "Saga 6 (Anneaux)", _numbered(100, 108), weeks_ago=2, first_number=100),),
    ),
    _Story(
        Work(
            6,
            "le-dernier-ferry-pour-hoshino",
            "Le Dernier Ferry pour Hoshino",
            "La veille de la fermeture de la ligne, un contrôleur et une passagère sans billet "
            "refont une dernière fois la traversée de leur enfance.",
            ("Drame", "Romance"),
            [],
            _SAMA_AND_ULTIME,
            ("Hoshino-yuki Saigo no Ferii",),
            year=2025,
            kind="Film",
            announced=1,
        ),
        (_Run("film", "Film", ("Le Dernier Ferry pour Hoshino, l'été",), weeks_ago=30),),
    ),
    _Story(
        Work(
            7,
            "tambours-du-nord",
            "Tambours du Nord",
            "Un village de neige n'a plus qu'un tambour pour prévenir des avalanches ; trois "
            "lycéens montent un groupe pour qu'on l'entende jusqu'à la mer.",
            ("Musique", "Drame"),
            [],
            (*_SAMA_AND_NEKO, ProviderId.ANIMEULTIME),
            ("Kita no Taiko", "Northern Drums"),
            announced=8,
            groups=("Brume-Fansub", "Team-Cadran", "Kaze-Sub"),
        ),
        (_Run("saison1", "Saison 1", _numbered(1, 8), weeks_ago=12, dubbed=8),),
    ),
    _Story(
        Work(
            8,
            "cuisine-de-bord",
            "Cuisine de bord",
            "Le meilleur cuistot de la flotte marchande n'a qu'un réchaud, trois épices et un "
            "équipage qui ne s'accorde sur rien.",
            ("Comédie", "Gastronomie", "Aventure"),
            [],
            (ProviderId.NEKOSAMA, ProviderId.FEED),
            ("Galley Kitchen",),
            year=2024,
            announced=7,
            neko_encoding=NekoEncoding.BUTTONS,
        ),
        (_Run("saison1", "Saison 1", _numbered(1, 7), weeks_ago=5),),
    ),
    _Story(
        Work(
            9,
            "sous-la-neige-rouge",
            "Sous la neige rouge",
            "Un inspecteur revient dans la ville minière où il est officiellement mort.",
            ("Policier", "Thriller"),
            [],
            (ProviderId.ANIMEULTIME,),
            ("Akai Yuki no Shita",),
            year=2023,
            announced=6,
            is_licensed=True,
        ),
        (_Run("saison1", "Saison 1", _numbered(1, 6), weeks_ago=40),),
    ),
    _Story(
        Work(
            10,
            "orbite-basse",
            "Orbite basse",
            "Une station spatiale à louer, une équipe de nettoyage, et une fenêtre sur la Terre "
            "qui vaut tous les loyers du monde.",
            ("Science-fiction", "Tranche de vie"),
            [],
            (ProviderId.FEED,),
            ("Low Orbit",),
            announced=4,
        ),
        (_Run("saison1", "Saison 1", _numbered(1, 4), weeks_ago=1),),
    ),
)

from __future__ import annotations

import io

from PIL import Image

from providers.demo import DemoSite
from providers.demo.posters import PosterStore
from providers.tests.demo.asking import ask


def test_every_series_has_a_poster_of_its_own(site: DemoSite) -> None:
    slugs = {slug for provider in ("animesama", "feed") for slug in site.series_slugs(provider)}
    posters = {ask(f"{site.base_url}/posters/{slug}.png").body for slug in slugs}

    assert len(posters) == len(slugs)
    for poster in posters:
        assert Image.open(io.BytesIO(poster)).size == (600, 900)


def test_a_poster_is_the_same_after_a_restart() -> None:
    drawn = [PosterStore().png("cobalt-neuf", "Cobalt Neuf") for _ in range(2)]

    assert drawn[0] == drawn[1]


def test_an_unknown_poster_is_not_found(site: DemoSite) -> None:
    assert ask(f"{site.base_url}/posters/nothing.png").status == 404

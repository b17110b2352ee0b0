"""Texts that are right in English and were wrong in French, where they stand."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from watchlist.models import WatchlistItem
from watchlist.tests.factories import (
    AdministratorFactory,
    EpisodeFactory,
    ProfileFactory,
    WatchlistItemFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def french(client: Client) -> Client:
    profile = ProfileFactory.create(user=AdministratorFactory.create(), language="fr")
    WatchlistItemFactory.create(user=profile.user)
    client.force_login(profile.user)
    return client


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/settings/users", '<th scope="col">Séries</th>'),
        ("/settings/about", '<b>Base de données</b> <span class="mut">en ordre</span>'),
        ("/watchlist?select=1", 'data-words="Sélection\u202f: %s"'),
    ],
)
def test_a_word_is_the_right_one(french: Client, path: str, text: str) -> None:
    assert text in french.get(path).content.decode()


def test_a_label_has_its_space_before_the_colon(french: Client) -> None:
    page = french.post("/settings/account/password", {}).content.decode()
    assert "Ancien mot de passe\u202f:</a> Ce champ est obligatoire." in page


def test_an_episodes_reason_ends_its_line(french: Client) -> None:
    item = WatchlistItem.objects.get()
    EpisodeFactory.create(series=item.series)
    page = french.get(f"/watchlist/{item.pk}").content.decode()
    assert re.findall("<small>([^<]+) · [^<·]+[.]</small>", page) == ["Aujourd\u2019hui"]

"""Texts that are right in English and were wrong in French, where they stand."""

from __future__ import annotations

import pytest
from django.test import Client

from watchlist.tests.factories import AdministratorFactory, ProfileFactory, WatchlistItemFactory

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

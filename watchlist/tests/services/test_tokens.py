from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from knox.crypto import hash_token

from watchlist.models import ApiToken
from watchlist.services import tokens
from watchlist.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_only_the_hash_is_stored() -> None:
    row, text = tokens.create_token(user=UserFactory.create(), name="script", days=30)
    assert text.startswith("tsz_")
    assert row.digest == hash_token(text)
    assert text not in str(ApiToken.objects.values().get())


def test_it_ends_after_the_chosen_time() -> None:
    row, _ = tokens.create_token(user=UserFactory.create(), name="script", days=30)
    assert row.expiry is not None
    assert abs(row.expiry - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)


def test_it_may_last_for_ever() -> None:
    row, _ = tokens.create_token(user=UserFactory.create(), name="script", days=None)
    assert row.expiry is None


def test_revoking_ends_ones_own_token() -> None:
    user = UserFactory.create()
    row, _ = tokens.create_token(user=user, name="script", days=None)
    assert tokens.revoke_token(user=user, handle=tokens.handle_of(row))
    assert not tokens.tokens_of(user).exists()


@pytest.mark.parametrize("handle", ["", "0", "%", "x" * 16])
def test_a_handle_that_is_none_revokes_nothing(handle: str) -> None:
    user = UserFactory.create()
    tokens.create_token(user=user, name="script", days=None)
    assert not tokens.revoke_token(user=user, handle=handle)
    assert tokens.tokens_of(user).count() == 1


def test_nobody_revokes_somebody_elses() -> None:
    row, _ = tokens.create_token(user=UserFactory.create(), name="script", days=None)
    assert not tokens.revoke_token(user=UserFactory.create(), handle=tokens.handle_of(row))
    assert ApiToken.objects.count() == 1

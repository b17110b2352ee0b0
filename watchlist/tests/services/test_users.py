from __future__ import annotations

import pytest
from django.test import Client

from downloads.models import Download
from downloads.states import State
from watchlist.models import Series, WatchlistItem
from watchlist.services import deciding, users
from watchlist.tests.factories import AdministratorFactory, UserFactory, WatchlistItemFactory
from watchlist.tests.grabs import waiting

pytestmark = pytest.mark.django_db
NEW = "another long passphrase"


def use_link(client: Client, link: str) -> int:
    """Open the link and send a new password; the status of the last answer."""
    page = client.get(link, follow=True)
    address = page.redirect_chain[-1][0] if page.redirect_chain else link
    answer = client.post(address, {"new_password1": NEW, "new_password2": NEW})
    return answer.status_code


def test_a_new_account_has_no_password() -> None:
    user = users.create_user(username="mia", is_administrator=False)
    assert not user.has_usable_password()
    assert not user.is_staff
    assert not user.is_superuser


def test_the_link_sets_a_password_once(client: Client) -> None:
    user = users.create_user(username="mia", is_administrator=False)
    link = users.password_link(user)
    assert use_link(client, link) == 302
    user.refresh_from_db()
    assert user.check_password(NEW)
    again = Client().get(link)
    assert b"no longer works" in again.content


def test_a_link_dies_with_the_password_it_was_made_for(client: Client) -> None:
    user = UserFactory.create()
    link = users.password_link(user)
    user.set_password("meanwhile changed it")
    user.save()
    assert b"no longer works" in client.get(link).content


@pytest.mark.parametrize("link", ["x/y", "MQ/abc-def", "____/set-password"])
def test_a_forged_link_opens_nothing(client: Client, link: str) -> None:
    assert b"no longer works" in client.get(f"/accounts/password/{link}").content


def test_roles_can_be_changed() -> None:
    by, user = AdministratorFactory.create(), UserFactory.create()
    users.change_role(user=user, is_administrator=True, by=by)
    assert list(users.administrators()) == [by, user]
    users.change_role(user=user, is_administrator=False, by=by)
    assert list(users.administrators()) == [by]


def test_nobody_takes_their_own_role_away() -> None:
    by = AdministratorFactory.create()
    AdministratorFactory.create()
    with pytest.raises(users.NotAllowed, match="your own administrator role"):
        users.change_role(user=by, is_administrator=False, by=by)


def test_nobody_deactivates_themselves() -> None:
    by = AdministratorFactory.create()
    with pytest.raises(users.NotAllowed, match="your own account"):
        users.set_active(user=by, is_active=False, by=by)


def test_one_administrator_always_stays() -> None:
    gone, last = AdministratorFactory.create(is_active=False), AdministratorFactory.create()
    with pytest.raises(users.NotAllowed, match="at least one"):
        users.set_active(user=last, is_active=False, by=gone)


def test_whoever_is_deactivated_is_out_at_once(client: Client) -> None:
    by, user = AdministratorFactory.create(), UserFactory.create()
    client.force_login(user)
    assert client.get("/downloads").status_code == 200
    users.set_active(user=user, is_active=False, by=by)
    assert client.get("/downloads").status_code == 302
    users.set_active(user=user, is_active=True, by=by)
    assert client.get("/downloads").status_code == 200


def test_what_waits_for_somebody_is_withdrawn_with_them_and_returns_with_them(
    item: WatchlistItem,
) -> None:
    by = AdministratorFactory.create()
    for is_active, queued in ((False, []), (True, [1, 2, 3, 4, 5])):
        users.set_active(user=item.user, is_active=is_active, by=by)
        deciding.decide_marked()
        assert waiting(item) == queued
        assert Download.objects.filter(state=State.QUEUED).count() == len(queued)


def test_what_others_wait_for_too_goes_on(item: WatchlistItem) -> None:
    other = WatchlistItemFactory.create(series=item.series)
    deciding.decide_again(item=other)
    users.set_active(user=item.user, is_active=False, by=AdministratorFactory.create())
    deciding.decide_marked()
    assert (waiting(item), waiting(other)) == ([], [1, 2, 3, 4, 5])


def test_nothing_is_queued_for_somebody_who_is_deactivated(series: Series) -> None:
    item = WatchlistItemFactory.create(series=series, user__is_active=False)
    deciding.decide_again(item=item)
    assert waiting(item) == []

"""Accounts; whatever follows from a change on the pages follows from it here, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from downloads.adminrights import TakesAlongAdmin
from watchlist.services import users

if TYPE_CHECKING:
    PasswordForm = AdminPasswordChangeForm[User]
    AccountForm = UserChangeForm[User]
    Admin = UserAdmin[User]
else:
    # The generic classes exist for the type checker only.
    PasswordForm, AccountForm, Admin = AdminPasswordChangeForm, UserChangeForm, UserAdmin

_RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")

admin.site.unregister(User)


class NewPasswordForm(PasswordForm):
    """A password that somebody else sets leaves no way in that the old one had opened."""

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - as Django calls it
        """Save it, and revoke the account's tokens and calendar address."""
        with transaction.atomic():
            user = super().save(commit)
            users.revoke_access(user=user)
        return user


class KeepsAnAdministratorForm(AccountForm):
    """An account, of which the last administrator cannot be made anything less."""

    def clean(self) -> dict[str, Any] | None:
        """Refuse what would leave nobody to administer."""
        cleaned = super().clean() or self.cleaned_data
        after = [cleaned.get(name) for name in ("is_active", "is_staff", "is_superuser")]
        if users.is_administrator(self.instance) and False in after:
            try:
                users.require_another_administrator(user=self.instance)
            except users.NotAllowed as refused:
                raise ValidationError(str(refused)) from None
        return cleaned


@admin.register(User)
class AccountAdmin(TakesAlongAdmin, Admin):
    """Who may come in; deleting one stops following for them, files stay."""

    form = KeepsAnAdministratorForm
    change_password_form = NewPasswordForm

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only a superuser hands rights out."""
        shown = super().get_readonly_fields(request, obj)
        return shown if _is_superuser(request) else (*shown, *_RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Whoever has the right to; a superuser is changed by superusers alone."""
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """As for a change; nobody deletes the own account."""
        is_own = obj is not None and obj.pk == request.user.pk
        return (
            super().has_delete_permission(request, obj) and _may_touch(request, obj) and not is_own
        )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Accounts are deleted one by one."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def save_model(self, request: HttpRequest, obj: User, form: forms.Form, change: Any) -> None:
        """Save it, with what follows from its being active or not."""
        super().save_model(request, obj, form, change)
        if "is_active" in form.changed_data:
            users.follow_activity(user=obj)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Stop following for them, then delete the account."""
        assert isinstance(request.user, User)  # noqa: S101 - for the type checker
        users.delete_user(user=obj, by=request.user)


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


def _may_touch(request: HttpRequest, obj: User | None) -> bool:
    return obj is None or not obj.is_superuser or _is_superuser(request)

"""What administration pages allow: rows come and go by what people and workers do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

if TYPE_CHECKING:
    Admin = admin.ModelAdmin[Any]
else:
    # The generic class exists for the type checker only.
    Admin = admin.ModelAdmin


class TakesAlongAdmin(Admin):
    """Rows whose own things go with them, though none of these is deleted by itself."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        """Whoever may delete the row may delete what is its own."""
        shown, counts, missing, protected = super().get_deleted_objects(objs, request)
        return shown, counts, set() if self.has_delete_permission(request) else missing, protected


class NotByHandAdmin(Admin):
    """Rows that nobody adds or deletes here: others point at them, and files may lie on disk."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds one here."""
        del request
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes one here."""
        del request, obj
        return False


class LookOnlyAdmin(NotByHandAdmin):
    """Rows to look at; actions ask for the permission to view."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes one here."""
        del request, obj
        return False

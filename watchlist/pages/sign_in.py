"""Signing in; a new installation goes to its first visit instead."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect


class SignIn(LoginView):
    """Django's own form on our page."""

    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """While there is no account at all, nobody can sign in."""
        if not request.user.is_authenticated and not User.objects.exists():
            return redirect("setup")
        return super().dispatch(request, *args, **kwargs)

"""What this is: its version, how its parts do, and what it is made of."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import django
from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from watchlist.selectors import machine

# The works of others that a reader meets; each with its licence.
MADE_WITH: Final = (
    ("Django", "BSD-3-Clause", "https://www.djangoproject.com/"),
    ("Django REST framework", "BSD-3-Clause", "https://www.django-rest-framework.org/"),
    ("Celery", "BSD-3-Clause", "https://docs.celeryq.dev/"),
    ("htmx", "0BSD", "https://htmx.org/"),
    ("Lucide", "ISC", "https://lucide.dev/"),
    ("FFmpeg, PyAV", "LGPL-2.1+, BSD-3-Clause", "https://pyav.org/"),
    ("curl, pycurl", "curl, LGPL-2.1+", "https://curl.se/"),
    ("yt-dlp", "Unlicense", "https://github.com/yt-dlp/yt-dlp"),
    ("Valkey", "BSD-3-Clause", "https://valkey.io/"),
    ("Pillow", "MIT-CMU", "https://python-pillow.org/"),
)


@login_required
@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """Version, health and licences."""
    context = {
        "tab": "about",
        "version": product_version(),
        "python": platform.python_version(),
        "django": django.get_version(),
        "database": connection.vendor,
        "parts": machine.parts(),
        "made_with": MADE_WITH,
    }
    return render(request, "watchlist/about.html", context)


def product_version() -> str:
    """The version that is installed, else that of the checkout's project file."""
    try:
        return version("tsuzuku")
    except PackageNotFoundError:
        return "0.1.0"

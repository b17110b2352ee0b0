"""What `gunicorn watchlist_project.wsgi` uses when it is started by itself."""

from __future__ import annotations

from django.conf import settings

from watchlist_project.web import OPTIONS

# Reading a setting ends the program here, with one line, when a variable is bad.
bind = f"{settings.HOST}:{settings.PORT}"
globals().update(OPTIONS)

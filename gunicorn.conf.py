"""What `gunicorn watchlist_project.wsgi` uses when it is started by itself."""

from __future__ import annotations

from watchlist_project.settings import HOST, PORT
from watchlist_project.web import OPTIONS

# Reading the settings ends the program here, with one line, when a variable is bad.
bind = f"{HOST}:{PORT}"
globals().update(OPTIONS)

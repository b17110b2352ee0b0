"""The WSGI application, for gunicorn or any other WSGI server."""

from __future__ import annotations

import os
import sys

from django.core.wsgi import get_wsgi_application

# Gunicorn starts a worker anew after any other exit code, for ever.
_APP_LOAD_ERROR = 4

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchlist_project.settings")
try:
    application = get_wsgi_application()
except SystemExit as error:
    print(error, file=sys.stderr)  # noqa: T201 -- the one line about a bad variable
    raise SystemExit(_APP_LOAD_ERROR) from None

"""The product's settings in a folder of their own for each test process, gone afterwards."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_folder = tempfile.mkdtemp(prefix="tsz-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
# DATABASE_URL stays as given: the suite runs on SQLite and on Postgres.
for _name in ("DOWNLOAD_DIR", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "ALLOWED_PRIVATE_HOSTS"):
    os.environ.pop(_name, None)
os.environ["DATA_DIR"] = _folder

from watchlist_project.settings import *  # noqa: E402, F403 -- all of them, after DATA_DIR is set
from watchlist_project.settings import DATABASES  # noqa: E402 -- changed below

# A file and not memory, so that tests with threads and processes meet the real locks.
DATABASES["default"]["TEST"] = {"NAME": str(Path(_folder) / "test.sqlite3")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    DATABASES["default"]["TEST"] = {"NAME": f"test_tsuzuku_{os.getpid()}"}

# The right hashers take a tenth of a second for each password.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
WHITENOISE_AUTOREFRESH = True
# Nothing is collected for a test; the finders serve the sources as they are.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

"""What must be true before the parts start: schema, static files, a first account or its code."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from watchlist.services.scheduler import install_schedule
from watchlist_project import setup_code
from watchlist_project.env import BadSetting, refuse

logger = logging.getLogger(__name__)

# Any number will do, as long as it stays the same: it names our lock in Postgres.
_MIGRATION_LOCK = 7_310_452
# The second of the two API browsers that drf-spectacular brings.
_UNUSED_STATIC = ["redoc"]
_OWN_APPS = frozenset({"providers", "downloads", "watchlist"})


def prepare() -> None:
    """Bring database, static files and first account into shape. Raises BadSetting."""
    try:
        migrate()
    except OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise BadSetting(
            f"Cannot start: the database of DATABASE_URL does not answer: {reason}"
        ) from None
    install_schedule()
    collect_static()
    create_first_administrator()
    code = setup_code.ensure_code()
    if code:
        logger.info("No account exists yet. Open /setup and enter this one-time code: %s", code)


def migrate() -> None:
    """Apply the migrations that are missing; costs a moment when there are none."""
    if is_schema_current():
        return
    with _migration_lock():
        # Another host may have done it while this one waited.
        if not is_schema_current():
            logger.info("Bringing the database up to date")
            call_command("migrate", interactive=False, verbosity=0)


def is_schema_current() -> bool:
    """Whether every migration on disk is applied. Raises BadSetting when the database is newer."""
    on_disk = {(label, name) for label, _module, name in _migrations_on_disk()}
    applied = set(MigrationRecorder(connection).applied_migrations())
    unknown = sorted(name for name in applied - on_disk if name[0] in _OWN_APPS)
    if unknown and not _are_replaced(unknown):
        raise BadSetting(
            f"Cannot start: the database is from a newer version (it has {'.'.join(unknown[0])}); "
            "install that version or restore a backup."
        )
    return on_disk <= applied


def collect_static() -> None:
    """Copy and compress the static files, when they changed since the last time."""
    stamp = Path(settings.STATIC_ROOT) / ".fingerprint"
    fingerprint = _static_fingerprint()
    if stamp.is_file() and stamp.read_text(encoding="ascii") == fingerprint:
        return
    logger.info("Preparing the static files")
    try:
        call_command(
            "collectstatic", interactive=False, verbosity=0, ignore_patterns=_UNUSED_STATIC
        )
        stamp.write_text(fingerprint, encoding="ascii")
    except OSError as error:
        accepted = f"a folder that can be written to ({error.strerror})"
        refuse("STATIC_ROOT", str(settings.STATIC_ROOT), accepted)


def create_first_administrator() -> None:
    """The account of ADMIN_USERNAME and ADMIN_PASSWORD, while no account exists."""
    name, password = settings.ADMIN_USERNAME, settings.ADMIN_PASSWORD
    users = get_user_model().objects
    if not (name or password) or users.exists():
        return
    try:
        UnicodeUsernameValidator()(name)
    except ValidationError:
        name = ""
    if not 0 < len(name) <= 150:  # noqa: PLR2004 -- the length of Django's column
        accepted = "1 to 150 letters, digits and @ . + - _"
        refuse("ADMIN_USERNAME", settings.ADMIN_USERNAME, accepted)
    if not password:
        refuse("ADMIN_PASSWORD", "", "a password, as ADMIN_USERNAME is set")
    users.create_superuser(username=name, password=password)
    logger.info("Created the first administrator %s", name)


def _migrations_on_disk() -> Iterator[tuple[str, str, str]]:
    """App label, package and name of each migration, without loading them all."""
    for config in apps.get_app_configs():
        package, _is_explicit = MigrationLoader.migrations_module(config.label)
        # An app may have no migrations, or have them switched off by MIGRATION_MODULES.
        if package and find_spec(package):
            for module in iter_modules(import_module(package).__path__):
                if module.name[0] not in "_~":
                    yield config.label, package, module.name


def _are_replaced(names: list[tuple[str, str]]) -> bool:
    """Whether squashed migrations on disk stand for these; only looked at in that rare case."""
    replaced = {
        tuple(entry)
        for label, package, name in _migrations_on_disk()
        if label in _OWN_APPS
        for entry in getattr(import_module(f"{package}.{name}").Migration, "replaces", ())
    }
    return set(names) <= replaced


@contextmanager
def _migration_lock() -> Iterator[None]:
    """One host at a time on Postgres; with SQLite the lock on DATA_DIR is enough."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])


def _static_fingerprint() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            state = Path(storage.path(path)).stat()
            digest.update(f"{path}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()

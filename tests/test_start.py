"""How the program starts: one clear line for what is wrong, secrets that stay secret."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# As a person starts it: nothing but the search path comes from the tests' own environment.
CLEAN = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
BAD_VALUES = [
    ("PORT", "eighty", "a whole number from 0 to 65535"),
    ("PORT", "70000", "a whole number from 0 to 65535"),
    ("MAX_PARALLEL_DOWNLOADS", "0", "a whole number from 1 to 64"),
    ("CHECK_TICK_SECONDS", "1.5", "a whole number from 1 to 3600"),
    ("MIN_FREE_DISK_MB", "-1", "a whole number from 0"),
    ("MAX_CONNECTIONS_PER_DOWNLOAD", "99", "a whole number from 1 to 32"),
    ("MAX_CONNECTIONS_BY_PROVIDER", "feed=2,elsewhere=3", "comma-separated NAME=NUMBER, 1 to 32"),
    ("MAX_CONNECTIONS_BY_PROVIDER", "feed=64", "for any of animesama, nekosama"),
    ("MAX_CONNECTIONS_PER_HOST", "0", "a whole number from 1 to 64"),
    ("PROVIDER_REQUESTS_PER_SECOND", "fast", "a number from 0.01 to 1000"),
    ("BEHIND_HTTPS_PROXY", "maybe", "1, true, yes or on"),
    ("LOG_LEVEL", "loud", "DEBUG, INFO, WARNING, ERROR"),
    ("UMASK", "999", "permission bits in octal"),
    ("ANIMESAMA_URL", "ftp://example.org", "an address such as https://"),
    ("NEKOSAMA_URL", "example.org", "an address such as https://"),
    ("ALLOWED_PRIVATE_HOSTS", "127.0.0.1,bad host!", "hosts, IP addresses or CIDR ranges"),
    ("ALLOWED_HOSTS", "http://x/", "host names such as"),
    ("CSRF_TRUSTED_ORIGINS", "tsuzuku.example.org", "origins such as https://"),
    ("CSRF_TRUSTED_ORIGINS", "https://a b/", "origins such as https://"),
    ("NEKOSAMA_URL", "http://", "an address such as https://"),
    ("DATABASE_URL", "nonsense", "postgres://user:password@host:port/name"),
    ("DATABASE_URL", "mysql://x/y", "postgres://user:password@host:port/name"),
    ("REDIS_URL", "redis://127.0.0.1:99999/0", "redis://host:port/0"),
    ("TIME_ZONE", "Paris", "a time zone such as Europe/Paris"),
    ("DATA_DIR", "/dev/null/data", "a folder that can be written to"),
    ("DOWNLOAD_DIR", "/dev/null/library", "a folder that can be written to"),
    ("SECRET_KEY_FILE", "/does/not/exist", "a readable text file"),
]
BAD_SECRETS = [
    ("DATABASE_URL", "mysql://me:hunter2@db/name", "postgres://user:password@host:port/name"),
    ("DATABASE_URL", "postgres://me:hunter2@db:port/name", "postgres://user:password@"),
    ("REDIS_URL", "amqp://me:hunter2@queue", "redis://host:port/0"),
    ("REDIS_URL", "me:hunter2@queue", "redis://host:port/0"),
    ("DATABASE_URL", "postgres://me:p@hunter2@db:port/name", "postgres://user:password@"),
    ("DATABASE_URL", "mysql://db/name?password=hunter2", "postgres://user:password@"),
]


def start(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**CLEAN, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("name", "value", "accepted"), BAD_VALUES)
def test_a_bad_value_stops_the_start_with_one_line(
    name: str, value: str, accepted: str, tmp_path: Path
) -> None:
    ended = start("manage.py", "check", **{"DATA_DIR": str(tmp_path), name: value})
    assert ended.returncode != 0
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert name in line
    assert accepted in line
    assert value in line or value == "127.0.0.1,bad host!"


@pytest.mark.parametrize(("name", "value", "accepted"), BAD_SECRETS)
def test_a_bad_secret_is_named_but_not_shown(
    name: str, value: str, accepted: str, tmp_path: Path
) -> None:
    ended = start("manage.py", "check", **{"DATA_DIR": str(tmp_path), name: value})
    assert ended.returncode != 0
    (line,) = ended.stderr.splitlines()
    assert name in line
    assert accepted in line
    assert "hunter2" not in line


@pytest.mark.parametrize(
    "command",
    [
        ("manage.py", "up"),
        ("manage.py", "migrate"),
        ("-m", "gunicorn", "watchlist_project.wsgi"),
        ("-m", "gunicorn", "--config", "/dev/null", "watchlist_project.wsgi"),
        ("-m", "celery", "-A", "watchlist_project", "worker"),
        ("-m", "celery", "-A", "watchlist_project", "beat"),
    ],
)
def test_every_way_to_start_says_the_same_line(command: tuple[str, ...], tmp_path: Path) -> None:
    ended = start(*command, DATA_DIR=str(tmp_path), MAX_PARALLEL_DOWNLOADS="many")
    assert ended.returncode != 0
    assert "Traceback" not in ended.stderr
    lines = [line for line in ended.stderr.splitlines() if "Cannot start" in line]
    assert len(lines) == 1
    assert lines[0] == (
        "Cannot start: MAX_PARALLEL_DOWNLOADS='many' is not valid; "
        "accepted: a whole number from 1 to 64."
    )


def test_the_secret_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    show = ("-c", "from django.conf import settings; print(settings.SECRET_KEY)")
    variables = {"DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "watchlist_project.settings"}
    first, second = start(*show, **variables), start(*show, **variables)
    assert first.stdout == second.stdout
    assert len(first.stdout.strip()) > 50
    for name in ("secret_key", "tsuzuku.sqlite3"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_secrets_are_read_from_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    (tmp_path / "url").write_text("postgres://me:pass%40word@db.example:5433/shows?sslmode=require")
    (tmp_path / "broker").write_text("redis://queue.example:6380/0")
    ended = start(
        "-c",
        "from django.conf import settings as s; d = s.DATABASES['default'];"
        "print(s.SECRET_KEY, d['PASSWORD'], d['HOST'], d['PORT'], d['NAME'], d['OPTIONS']);"
        "print(s.REDIS_URL, s.CACHES['default']['LOCATION'], s.USES_EMBEDDED_BROKER)",
        DJANGO_SETTINGS_MODULE="watchlist_project.settings",
        DATA_DIR=str(tmp_path / "data"),
        SECRET_KEY_FILE=str(tmp_path / "key"),
        DATABASE_URL_FILE=str(tmp_path / "url"),
        REDIS_URL_FILE=str(tmp_path / "broker"),
    )
    assert ended.stdout.splitlines() == [
        "from-a-file pass@word db.example 5433 shows {'sslmode': 'require'}",
        "redis://queue.example:6380/0 redis://queue.example:6380/2 False",
    ]


def test_a_database_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    ended = start(
        "manage.py",
        "prepare",
        DATA_DIR=str(tmp_path),
        DATABASE_URL="postgres://me:hunter2@127.0.0.1:1/none",
    )
    assert ended.returncode != 0
    (line,) = ended.stderr.splitlines()
    assert line.startswith("Cannot start: the database of DATABASE_URL does not answer")
    assert "hunter2" not in line

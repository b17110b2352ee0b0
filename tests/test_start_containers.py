"""docker-compose.yml and Dockerfile, checked word by word without an engine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("prepare", "web", "worker-checks", "worker-downloads", "beat")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
# Read by Python, pip or compose itself.
NOT_OURS = {"PATH", "PYTHONUNBUFFERED", "PIP_DISABLE_PIP_VERSION_CHECK", "PIP_NO_CACHE_DIR"}
ONLY_COMPOSE = {"POSTGRES_PASSWORD", "LIBRARY", "PUBLISH"}
# The same in every container: LIBRARY and PUBLISH say where they lie outside.
SET_BY_IMAGE = {"HOST", "PORT", "DATA_DIR", "DOWNLOAD_DIR", "STATIC_ROOT"}


def known_variables() -> set[str]:
    """Every name that the settings read, with the *_FILE form of secrets."""
    text = (ROOT / "watchlist_project" / "settings.py").read_text(encoding="utf-8")
    names = set(re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", text))
    names |= {f"{site.upper()}_URL" for site in ("animesama", "nekosama", "animeultime")}
    secrets = set(re.findall(r"env\.(?:\w*secret|database|broker_url)\(\s*\"([A-Z_]+)\"", text))
    return names | {f"{name}_FILE" for name in secrets}


def test_the_variables_of_the_contract_are_read() -> None:
    wanted = """PORT HOST DATA_DIR DOWNLOAD_DIR MAX_PARALLEL_DOWNLOADS DATABASE_URL REDIS_URL
        SECRET_KEY
        ALLOWED_HOSTS CSRF_TRUSTED_ORIGINS ADMIN_USERNAME ADMIN_PASSWORD CHECK_TICK_SECONDS
        ALLOWED_PRIVATE_HOSTS ANIMESAMA_URL NEKOSAMA_URL ANIMEULTIME_URL MIN_FREE_DISK_MB
        SECRET_KEY_FILE DATABASE_URL_FILE REDIS_URL_FILE ADMIN_PASSWORD_FILE"""
    assert set(wanted.split()) <= known_variables()


def test_the_example_names_every_variable_and_no_other() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#?([A-Z_]+)=", example, flags=re.MULTILINE))
    read = {name for name in known_variables() if not name.endswith("_FILE")}
    assert named == read | ONLY_COMPOSE


def test_compose_asks_only_for_variables_of_the_example() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{([A-Z_]+)", text))
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert {name for name in asked if f"{name}=" not in example} == set()


def test_the_image_sets_only_variables_that_are_read() -> None:
    block = " ".join(re.findall(r"^ENV ((?:.*\\\n)*.*)$", DOCKERFILE, flags=re.MULTILINE))
    assert set(re.findall(r"\b([A-Z_]+)=", block)) - NOT_OURS <= known_variables()


@pytest.mark.parametrize("name", OURS)
def test_compose_hands_every_variable_on(name: str) -> None:
    read = {name for name in known_variables() if not name.endswith("_FILE")}
    assert set(SERVICES[name]["environment"]) == read - SET_BY_IMAGE


@pytest.mark.parametrize("name", OURS)
def test_the_program_of_a_command_is_installed(name: str) -> None:
    command = SERVICES[name]["command"]
    if command[0] == "python":
        assert (ROOT / command[1]).is_file()
        shown = subprocess.run(
            [sys.executable, *command[1:], "--help"],
            cwd=ROOT,
            env={"PATH": "", "DATA_DIR": "/dev/shm"},  # noqa: S108 -- any folder that exists
            check=False,
            capture_output=True,
        )
        assert shown.returncode == 0
    else:
        assert shutil.which(command[0], path=str(Path(sys.executable).parent))


def test_the_workers_consume_every_queue_once() -> None:
    consumed = []
    for name in ("worker-checks", "worker-downloads"):
        command = SERVICES[name]["command"]
        consumed += command[command.index("-Q") + 1].split(",")
    assert sorted(consumed) == ["checks", "control", "downloads", "manual"]


def test_every_service_is_watched_and_none_is_root() -> None:
    unwatched = [name for name, service in SERVICES.items() if "healthcheck" not in service]
    assert unwatched == []
    assert re.search(r"^USER tsuzuku$", DOCKERFILE, flags=re.MULTILINE)
    assert "HEALTHCHECK" in DOCKERFILE


def test_secrets_have_no_default() -> None:
    for name in ("POSTGRES_PASSWORD", "SECRET_KEY"):
        text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
        assert set(re.findall(rf"\$\{{{name}(.)", text)) == {":"}
        assert f"${{{name}:?" in text


def test_every_file_that_the_image_copies_exists() -> None:
    sources = re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, flags=re.MULTILINE)
    assert sources
    assert all((ROOT / source).exists() for source in sources)

"""What `manage.py up --demo` sets: a site of our own on loopback, an account, short times."""

from __future__ import annotations

import os
import socket
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

PUBLISH_EVERY_SECONDS = 60
_USUAL_PORT = 8765
_SITES = ("animesama", "nekosama", "animeultime")


def apply() -> None:
    """Set what is not set yet; called before the settings are read."""
    if not os.environ.get("DATA_DIR", "").strip():
        os.environ["DATA_DIR"] = str(Path(__file__).resolve().parent.parent / "data" / "demo")
    site = f"http://127.0.0.1:{_free_port()}"
    for name in _SITES:
        os.environ[f"{name.upper()}_URL"] = f"{site}/{name}"
    os.environ["ALLOWED_PRIVATE_HOSTS"] = urlsplit(site).netloc
    os.environ.setdefault("CHECK_TICK_SECONDS", "5")
    os.environ.setdefault("CHECK_INTERVAL_SECONDS", "20")
    os.environ.update({"ADMIN_USERNAME": "demo", "ADMIN_PASSWORD": "demo"})
    os.environ.pop("ADMIN_PASSWORD_FILE", None)


def site_url() -> str:
    """The demo site's address."""
    parts = urlsplit(os.environ["ANIMESAMA_URL"])
    return f"{parts.scheme}://{parts.netloc}"


def site_port() -> int:
    """The demo site's port on 127.0.0.1."""
    return urlsplit(site_url()).port or 0


def seed() -> None:
    """Follow a few series, unless that was done before."""
    import_module("watchlist.services.demo").seed_demo(site_url())


def _free_port() -> int:
    """The usual port when it is free, so that addresses stay the same from start to start."""
    wanted = os.environ.get("DEMO_SITE_PORT", "").strip()
    for port in (int(wanted) if wanted.isdecimal() else _USUAL_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return _USUAL_PORT

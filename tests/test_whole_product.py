"""The whole product as its users run it: one command, real processes, a site on loopback.

Everything goes through HTTP and the file system, as for a program that uses the API.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import av
import psutil
import pytest

from providers.demo.site import DemoSite

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ROOT: Final = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS: Final = 120.0
ADMIN: Final = {"username": "keeper", "password": "a long enough passphrase"}
SLUG: Final = "les-horlogers-de-minuit"


class Product:
    """A running server, seen from outside."""

    def __init__(self, folder: Path, site: DemoSite) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.port = 0
        self.token = ""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=ROOT,
                env={**kept, **self.variables(site)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def variables(self, site: DemoSite) -> dict[str, str]:
        return {
            "PORT": "0",
            "DATA_DIR": str(self.folder / "data"),
            "ADMIN_USERNAME": ADMIN["username"],
            "ADMIN_PASSWORD": ADMIN["password"],
            "CHECK_TICK_SECONDS": "2",
            "CHECK_INTERVAL_SECONDS": "5",
            "MIN_FREE_DISK_MB": "10",
            "ALLOWED_PRIVATE_HOSTS": ",".join(site.allowed_hosts),
            "PROVIDER_REQUESTS_PER_SECOND": "50",
            **{
                f"{provider.upper()}_URL": site.provider_base(provider)
                for provider in ("animesama", "nekosama", "animeultime")
            },
        }

    @property
    def library(self) -> Path:
        return self.folder / "data" / "library"

    def sign_in(self) -> None:
        wait_for(lambda: "Tsuzuku is at" in self.log.read_text(), self.log.read_text)
        line = next(row for row in self.log.read_text().splitlines() if "Tsuzuku is at" in row)
        self.port = int(line.split("127.0.0.1:")[1].split()[0])
        wait_for(lambda: self.call("GET", "/healthz")[0] == 200, self.log.read_text)
        status, answer = self.call("POST", "/api/auth/login", ADMIN)
        assert status == 200, answer
        self.token = answer["token"]

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"}
            | ({"Authorization": f"Bearer {self.token}"} if self.token else {}),
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 -- our own server
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def follow(self, provider_id: str, url: str, **fields: object) -> dict[str, Any]:
        body = {"provider_id": provider_id, "anime_url": url, **fields}
        status, item = self.call("POST", "/api/watchlist", body)
        assert status == 201, item
        return dict(item)

    def episodes(self, item: dict[str, Any]) -> list[dict[str, Any]]:
        _, page = self.call("GET", f"/api/watchlist/{item['id']}/episodes?page_size=200")
        return list(page["results"])

    def states(self, item: dict[str, Any]) -> dict[float, str]:
        return {row["number"]: row["state"] for row in self.episodes(item)}

    def workers(self, name: str) -> list[psutil.Process]:
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if name in " ".join(child.cmdline())]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)


def wait_for(is_so: Callable[[], object], explain: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if is_so():
                return
        except OSError:
            pass
        assert time.monotonic() < deadline, explain()
        time.sleep(0.2)


@pytest.fixture(scope="module")
def site() -> Iterator[DemoSite]:
    with DemoSite() as running:
        yield running


@pytest.fixture(scope="module")
def product(site: DemoSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """One server for all tests; each of them follows a series of its own."""
    running = Product(tmp_path_factory.mktemp("product"), site)
    try:
        running.sign_in()
        yield running
    finally:
        running.stop()


def files_of(product: Product, item: dict[str, Any]) -> list[Path]:
    return list((product.library / item["anime_title"]).rglob("*.mp4"))


def is_playable(path: Path) -> bool:
    with av.open(str(path)) as container:
        return any(True for _ in container.decode(video=0))


def test_an_episode_published_while_it_runs_is_found_and_put_into_the_library(
    product: Product, site: DemoSite
) -> None:
    item = product.follow("animesama", site.url_of("animesama", SLUG), last_episode_downloaded=5)
    wait_for(lambda: product.states(item), product.log.read_text)
    number = site.publish_episode(SLUG)

    wait_for(
        lambda: product.states(item).get(number) == "downloaded",
        lambda: (product.episodes(item), product.log.read_text()),
    )

    (file,) = files_of(product, item)
    assert f"S01E{number:02}" in file.name
    assert is_playable(file)
    _, after = product.call("GET", f"/api/watchlist/{item['id']}")
    assert after["last_episode_downloaded"] == number


@pytest.mark.parametrize(
    ("provider_id", "slug", "last"),
    [
        ("animesama", "le-phare-des-brumes", 12),
        ("nekosama", "cobalt-neuf", None),
        ("animeultime", "jardin-d-acier", 10),
        ("feed", "cuisine-de-bord", 7),
    ],
)
def test_the_last_episode_arrives_from_every_provider(
    product: Product, site: DemoSite, provider_id: str, slug: str, last: int | None
) -> None:
    item = product.follow(provider_id, site.url_of(provider_id, slug), auto_download=False)
    wait_for(lambda: product.states(item), product.log.read_text)
    last = last or int(max(product.states(item)))
    product.call("PUT", f"/api/watchlist/{item['id']}", {"last_episode_downloaded": last - 1})
    product.call("PUT", f"/api/watchlist/{item['id']}", {"auto_download": True})
    wait_for(
        lambda: product.states(item).get(last) == "downloaded",
        lambda: (product.episodes(item), product.log.read_text()),
    )
    assert product.states(item)[last - 1] == "skipped"
    assert all(is_playable(path) for path in files_of(product, item))


def test_killed_workers_lose_and_double_nothing(product: Product, site: DemoSite) -> None:
    site.set_media_rate(150_000)
    item = product.follow("feed", site.url_of("feed", "orbite-basse"), last_episode_downloaded=1)
    for _ in range(3):
        wait_for(
            lambda: "downloading" in product.states(item).values(),
            lambda: (product.episodes(item), product.log.read_text()),
        )
        for worker in product.workers("downloads"):
            worker.kill()
        time.sleep(1)
    site.set_media_rate(None)

    wait_for(
        lambda: [product.states(item).get(n) for n in (2, 3, 4)] == ["downloaded"] * 3,
        lambda: (product.episodes(item), product.log.read_text()),
    )
    files = files_of(product, item)
    assert len(files) == 3
    assert all(is_playable(path) for path in files)
    incomplete = product.library / ".incomplete"
    wait_for(lambda: not list(incomplete.iterdir()), lambda: list(incomplete.iterdir()))

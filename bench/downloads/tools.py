"""The tools that are compared, as commands, and how their peers are installed."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from bench.downloads.origins import WORK

ROOT = Path(__file__).resolve().parents[2]
OWN = "tsuzuku"
PEERS = WORK.parent / "peers"  # a virtual environment of the benchmark's own
DEBIAN_PEERS = {
    "nginx": "nginx-light",
    "curl": "curl",
    "wget": "wget",
    "aria2c": "aria2",
    "axel": "axel",
    "ffmpeg": "ffmpeg",
    "time": "time",
}
_NOT_ASKED = "DEBIAN_FRONTEND=noninteractive"


@dataclass(frozen=True)
class Tool:
    """One command; `{out}` stands for an empty folder. `note` says what it does not do alike."""

    command: list[str]
    note: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def is_installed(self) -> bool:
        """Whether its program is there."""
        return found(self.command[0]) is not None

    def words(self, folder: Path) -> list[str]:
        """The command for one folder."""
        return [word.replace("{out}", str(folder)) for word in self.command]

    @property
    def line(self) -> str:
        """The command as it would be typed."""
        return shlex.join(self.command)


def found(name: str) -> str | None:
    """The full path of a program, also where only root looks for it."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def own(url: str, connections: int, *words: str, django: bool = False) -> Tool:
    front = [str(ROOT / "manage.py"), "fetch"] if django else ["-m", "downloads.engine"]
    command = [sys.executable, *front, url, "{out}", "--connections", str(connections), *words]
    return Tool(command, environment={"PYTHONPATH": str(ROOT)})


def aria(url: str, *words: str, note: str = "") -> Tool:
    quiet = ["--no-conf", "-q", "--allow-overwrite=true", "--auto-file-renaming=false"]
    return Tool(["aria2c", *quiet, "-d", "{out}", "-o", "x.mp4", *words, url], note)


def curl(url: str, *words: str) -> Tool:
    return Tool(["curl", "-sS", *words, "-o", "{out}/x.mp4", url])


def wget(url: str, *words: str) -> Tool:
    return Tool(["wget", "-q", *words, "-O", "{out}/x.mp4", url])


def axel(url: str, connections: int = 16) -> Tool:
    return Tool(["axel", "-q", f"-n{connections}", "-o", "{out}/x.mp4", url])


def yt_dlp(url: str, *words: str, note: str = "") -> Tool:
    quiet = ["--ignore-config", "-q", "--no-warnings", "--no-mtime", "--no-cache-dir"]
    # It believes the benchmark's authority only when certifi's list is not used.
    quiet += ["--compat-options", "no-certifi"]
    return Tool([peer("yt-dlp"), *quiet, "-o", "{out}/x.mp4", *words, url], note)


def streamlink(url: str) -> Tool:
    """Ten threads are its maximum; it ends with a raw stream, so ffmpeg makes the MP4."""
    fetch = [peer("streamlink"), "-l", "error", "--stream-segment-threads", "10", "--force"]
    script = (
        f'{shlex.join(fetch)} -o "$0/x.ts" {shlex.quote(url)} best && '
        'ffmpeg -v error -nostdin -y -i "$0/x.ts" -c copy -movflags +faststart "$0/x.mp4" && '
        'rm "$0/x.ts"'
    )
    if found(peer("streamlink")) is None:
        return Tool(["streamlink"])
    return Tool(["bash", "-c", script, "{out}"], note="10 threads, then ffmpeg")


def ffmpeg(url: str) -> Tool:
    quiet = ["-v", "error", "-nostdin", "-allowed_extensions", "ALL"]
    copy = ["-c", "copy", "-movflags", "+faststart"]
    return Tool(["ffmpeg", *quiet, "-i", url, *copy, "{out}/x.mp4"], note="one connection")


def peer(name: str) -> str:
    """A peer from PyPI: the benchmark's own, else the project's, else a name that is not found."""
    for folder in (PEERS / "bin", Path(sys.executable).parent):
        if (folder / name).exists():
            return str(folder / name)
    return name


def install_peers() -> None:
    """Debian's and PyPI's peers, as far as they are missing and may be had."""
    missing = [package for name, package in DEBIAN_PEERS.items() if found(name) is None]
    if missing:
        _install_from_debian(missing)
    if not (PEERS / "bin" / "streamlink").exists():
        _install_from_pypi()


def _install_from_debian(packages: list[str]) -> None:
    apt = found("apt-get")
    if os.geteuid() != 0 or apt is None:
        print(f"notice: only root on Debian can install {', '.join(packages)}")
        return
    command = [apt, "install", "-y", "-q", "--no-install-recommends", *packages]
    if not _succeeds(command) and not (_succeeds([apt, "update", "-q"]) and _succeeds(command)):
        print(f"notice: {', '.join(packages)} could not be installed")


def _install_from_pypi() -> None:
    python = str(PEERS / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "-q"]
    # Without compiled AES and brotli it would be slow for no good reason. Its own list of extras
    # asks for a newer certifi than every index has.
    packages = [f"yt-dlp=={version('yt-dlp')}", "pycryptodomex", "brotli", "requests", "streamlink"]
    if not (_succeeds([sys.executable, "-m", "venv", str(PEERS)]) and _succeeds([*pip, *packages])):
        print("notice: streamlink and yt-dlp could not be had from PyPI")


def _succeeds(command: list[str]) -> bool:
    environment = os.environ | dict([_NOT_ASKED.split("=")])
    log = WORK / "install.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as file:
        return not subprocess.call(command, stdout=file, stderr=file, env=environment)

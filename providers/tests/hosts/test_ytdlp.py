"""The guard of the child process, tried in children of our own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from providers.hosts.ytdlp import _speaks_of_drm
from providers.tests.origin import Origin, serves

ROOT = Path(__file__).resolve().parents[3]
PRELUDE = """
import os, socket, subprocess, sys
from pathlib import Path
from providers.hosts.ytdlp import _Guard
from providers.safe_url import EgressPolicy
port, folder = int(sys.argv[1]), Path(sys.argv[2])
sys.addaudithook(_Guard(EgressPolicy.parse([f"127.0.0.1:{port}"])))
"""


def attempt(code: str, port: int, folder: Path) -> str:
    """What became of it: "done", or the name of the error."""
    program = f"{PRELUDE}\ntry:\n    {code}\n    print('done')\nexcept BaseException as error:\n"
    program += "    print(type(error).__name__)\n"
    child = subprocess.run(
        [sys.executable, "-B", "-c", program, str(port), str(folder)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=True,
    )
    return child.stdout.strip()


@pytest.mark.parametrize(
    "code",
    [
        "subprocess.run(['/bin/true'])",
        "os.system('true')",
        "os.execv('/bin/true', ['true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.fork()",
        "open(folder / 'x', 'w')",
        "open(folder / 'kept', 'a')",
        "os.open(folder / 'x', os.O_CREAT | os.O_WRONLY)",
        "(folder / 'kept').unlink()",
        "(folder / 'kept').rename(folder / 'y')",
        "(folder / 'y').mkdir()",
        "socket.create_connection(('127.0.0.1', port + 1))",
        "socket.create_connection(('10.0.0.1', 80))",
        "socket.create_connection(('169.254.169.254', 80))",
        "socket.socket().connect(('localhost', port))",
        "socket.socket().connect_ex(('localhost', port))",
        "socket.socket(socket.AF_INET6).connect(('::1', port))",
        "socket.socket(socket.AF_UNIX).connect('/run/x.sock')",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', port))",
        "socket.socket().bind(('127.0.0.1', 0))",
    ],
)
def test_what_a_page_may_not_do_is_refused(origin: Origin, tmp_path: Path, code: str) -> None:
    folder = tmp_path / "guarded"
    folder.mkdir()
    (folder / "kept").write_text("kept")
    assert attempt(code, origin.port, folder) == "PermissionError"
    assert [path.name for path in folder.iterdir()] == ["kept"]
    assert (folder / "kept").read_text() == "kept"


@pytest.mark.parametrize(
    ("message", "is_said"),
    [
        ("\x1b[0;31mERROR:\x1b[0m [host] a1: This video is DRM protected", True),
        ("The requested site is known to use DRM protection.", True),
        ("[generic] embed-xDRmq1: Unable to download webpage: timed out", False),
        ("Unable to download https://host.example/e/DRM/a?b=DRM: timed out", False),
    ],
)
def test_a_video_is_protected_where_the_message_says_so_and_not_its_address(
    *, message: str, is_said: bool
) -> None:
    assert _speaks_of_drm(message) is is_said


@pytest.mark.parametrize(
    "code", ["socket.create_connection(('127.0.0.1', port))", "open(folder / 'kept').read()"]
)
def test_what_reading_needs_is_allowed(origin: Origin, tmp_path: Path, code: str) -> None:
    origin.answers["/"] = serves(b"")
    (tmp_path / "kept").write_text("kept")
    assert attempt(code, origin.port, tmp_path) == "done"

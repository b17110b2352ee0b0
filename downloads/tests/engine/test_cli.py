from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from downloads.engine.arguments import own_arguments
from downloads.tests.engine.clips import make_clip
from downloads.tests.engine.origin import Answer, Origin, wait_until

ROOT = Path(__file__).resolve().parents[3]
KEYS = [
    "path",
    "bytes",
    "seconds",
    "resumed_from",
    "connections",
    "kind",
    "height",
    "duration_s",
    "sha256",
    "error",
]
Command = Callable[..., "subprocess.Popen[str]"]
FRONTS = [("-m", "downloads.engine"), ("manage.py", "fetch")]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    def start(*words: str, front: tuple[str, ...] = ("-m", "downloads.engine")) -> Any:
        environment = os.environ | {
            "ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
            "DATA_DIR": str(tmp_path / "data"),
            "DOWNLOAD_DIR": str(tmp_path / "library"),
        }
        environment.pop("DJANGO_SETTINGS_MODULE", None)
        return subprocess.Popen(
            [sys.executable, *front, *words],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def report(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any]]:
    out, _ = process.communicate(timeout=60)
    return process.returncode, json.loads(out.splitlines()[-1])


@pytest.mark.parametrize("front", FRONTS)
def test_one_json_object_tells_everything(
    origin: Origin, command: Command, clip: bytes, tmp_path: Path, front: tuple[str, ...]
) -> None:
    url = origin.serve("/Un%20Titre.mp4", clip)
    status, told = report(command(url, str(tmp_path / "out"), "--json", front=front))

    assert status == 0
    assert list(told) == KEYS
    assert told["path"] == str(tmp_path / "out" / "Un Titre.mp4")
    assert Path(told["path"]).read_bytes() == clip
    assert told["sha256"] == hashlib.sha256(clip).hexdigest()
    assert (told["bytes"], told["kind"], told["height"]) == (len(clip), "http", 180)
    assert told["error"] is None
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Un Titre.mp4"]


def test_a_refused_file_is_told_and_leaves_nothing(
    origin: Origin, command: Command, tmp_path: Path
) -> None:
    url = origin.serve("/a.mp4", b"<html>no</html>")
    status, told = report(command(url, str(tmp_path / "out"), "--json"))

    assert status == 1
    assert told["error"]["code"] == "not_a_video"
    assert told["path"] is None
    assert not list((tmp_path / "out").iterdir())


def test_a_fetch_that_brought_nothing_leaves_nothing(
    command: Command, origin: Origin, tmp_path: Path
) -> None:
    status, told = report(command(origin.url("/none.mp4"), str(tmp_path / "out"), "--json"))

    assert (status, told["error"]["code"]) == (1, "server_refused")
    assert not list((tmp_path / "out").iterdir())


def test_a_killed_command_goes_on_where_it_was(
    origin: Origin, command: Command, clip: bytes, tmp_path: Path
) -> None:
    url = origin.serve("/a.mp4", Answer(clip, bytes_per_second=1_000_000))
    first = command(url, str(tmp_path / "out"), "--connections", "1")
    wait_until(lambda: origin.sent_bytes() > 900_000, 30)
    first.kill()
    first.communicate()
    origin.serve("/a.mp4", clip)
    status, told = report(command(url, str(tmp_path / "out"), "--json"))

    assert status == 0
    assert told["resumed_from"] > 400_000
    assert Path(told["path"]).read_bytes() == clip


def test_another_address_of_the_same_path_is_another_file(
    origin: Origin, command: Command, clip: bytes, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "get.mp4").write_text("in the way")
    url = origin.serve("/get.mp4", clip)
    assert report(command(f"{url}?id=1", str(tmp_path / "out"), "--json"))[0] == 1
    (tmp_path / "out" / "get.mp4").unlink()
    other = make_clip(tmp_path / "other.mp4", seconds=3, seed=2).read_bytes()
    origin.serve("/get.mp4", other)
    status, told = report(command(f"{url}?id=2", str(tmp_path / "out"), "--json"))

    assert status == 0
    assert Path(told["path"]).read_bytes() == other


def test_a_name_is_cut_to_what_file_systems_take(
    origin: Origin, command: Command, clip: bytes, tmp_path: Path
) -> None:
    url = origin.serve(f"/{quote('あ' * 100)}.mp4", clip)
    status, told = report(command(url, str(tmp_path / "out"), "--json"))

    assert status == 0
    assert Path(told["path"]).name == f"{'あ' * 66}.mp4"


def test_an_interrupted_command_says_so_by_its_status(
    origin: Origin, command: Command, clip: bytes, tmp_path: Path
) -> None:
    url = origin.serve("/a.mp4", Answer(clip, bytes_per_second=100_000))
    process = command(url, str(tmp_path / "out"), "--json")
    wait_until(lambda: origin.sent_bytes() > 50_000, 30)
    process.send_signal(signal.SIGINT)
    status, told = report(process)

    assert status == 130
    assert told["error"]["code"] == "interrupted"


def test_an_existing_file_is_never_overwritten(
    origin: Origin, command: Command, clip: bytes, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.mp4").write_text("precious")
    status, told = report(command(origin.serve("/a.mp4", clip), str(tmp_path / "out"), "--json"))

    assert status == 1
    assert told["error"]["code"] == "name_taken"
    assert (tmp_path / "out" / "a.mp4").read_text() == "precious"


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--quality", "nice"),
        ("--quality", "999"),
        ("--quality", "0"),
        ("--connections", "0"),
        ("--connections", "33"),
        ("--connections", "many"),
        ("--limit-rate", "fast"),
        ("--limit-rate", "0"),
        ("--limit-rate", "0.001"),
        ("--referer", "the page before"),
        ("--referer", "file:///etc/passwd"),
        ("--referer", ""),
    ],
)
def test_a_wrong_argument_is_one_line_and_no_traceback(
    command: Command, tmp_path: Path, option: str, value: str, front: tuple[str, ...]
) -> None:
    process = command("http://127.0.0.1:1/a.mp4", str(tmp_path), option, value, front=front)
    _, errors = process.communicate(timeout=30)

    assert process.returncode == 2
    assert "Traceback" not in errors
    assert f"argument {option}: {value!r} is no " in errors


@pytest.mark.parametrize("below", ["", "film", "film/again"])
def test_a_file_in_place_of_the_folder_is_a_wrong_argument(
    command: Command, tmp_path: Path, below: str
) -> None:
    file = tmp_path / "file"
    file.write_text("precious")
    process = command("http://127.0.0.1:1/a.mp4", str(file / below))
    _, errors = process.communicate(timeout=30)

    assert process.returncode == 2
    assert f"argument dir: {str(file)!r} is no folder" in errors
    assert file.read_text() == "precious"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--quality", "720p"], {"quality": 720}),
        (["--quality", "720"], {"quality": 720}),
        (["--quality", "1080P"], {"quality": 1080}),
        (["--quality", "best"], {"quality": None}),
        ([], {"quality": None, "connections": 4, "limit_rate": None, "referer": None}),
        (["--limit-rate", "2M"], {"limit_rate": 2 * 1024**2}),
        (["--limit-rate", "1.5MB/s"], {"limit_rate": 1536 * 1024}),
        (["--limit-rate", "500k"], {"limit_rate": 500 * 1024}),
        (["--limit-rate", "70000"], {"limit_rate": 70_000}),
        (["--connections", "32"], {"connections": 32}),
        (["--referer", "https://site.example/e?a=1"], {"referer": "https://site.example/e?a=1"}),
    ],
)
def test_arguments_are_taken_in_the_forms_that_people_use(
    tmp_path: Path, words: list[str], expected: dict[str, object]
) -> None:
    arguments = own_arguments(["http://a.example/", str(tmp_path), *words], prog="fetch")

    assert arguments is not None
    assert {name: getattr(arguments, name) for name in expected} == expected

"""The log in the data folder: every part writes to it, and it does not grow for ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from watchlist_project.env import BadSetting
from watchlist_project.logfile import KEPT, MAX_BYTES, LogFile

ROOT = Path(__file__).resolve().parents[2]
# In a process of its own: logging is set up for all of one, and a fork takes no threads along.
PARTS = """
import logging, os, sys
from pathlib import Path
import django
django.setup()
from watchlist_project.logfile import LogFile
log = LogFile(Path(sys.argv[1]))
log.open()
if (part := os.fork()) == 0:
    django.setup()  # as Celery does
    logging.warning("from %s", "a part\\nERROR x")
    os._exit(0)
os.waitpid(part, 0)
log.path.rename(log.path.with_name("aside"))
logging.warning("after it was put aside")
"""


@pytest.fixture
def log(tmp_path: Path) -> LogFile:
    found = LogFile(tmp_path)
    found.path.parent.mkdir()
    return found


def test_every_part_writes_to_it_also_after_it_was_put_aside(tmp_path: Path) -> None:
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", PARTS, str(tmp_path)]
    subprocess.run(command, check=True, cwd=ROOT, env=environment)
    folder = tmp_path / "logs"
    assert (folder / "aside").read_text().endswith("WARNING root: from a part\\nERROR x\n")
    assert (folder / "tsuzuku.log").read_text().endswith("after it was put aside\n")
    assert folder.stat().st_mode & 0o077 == 0


def test_a_small_file_stays(log: LogFile) -> None:
    log.path.write_text("kept")
    log.put_aside()
    assert log.path.read_text() == "kept"


def test_a_large_file_is_put_aside_and_the_oldest_forgotten(log: LogFile) -> None:
    for number in range(KEPT + 2):
        log.path.write_text(f"file {number}\n")
        os.truncate(log.path, MAX_BYTES)
        log.put_aside()
    assert not log.path.exists()
    older = sorted(log.path.parent.glob("tsuzuku.log.*"))
    firsts = [path.read_bytes().split(b"\n")[0] for path in older]
    assert firsts == [b"file 4", b"file 3", b"file 2"]


def test_a_folder_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file")
    with pytest.raises(BadSetting, match=r"Cannot start: DATA_DIR=.*can be written"):
        LogFile(tmp_path).open()

"""The log in the data folder: every part writes to it, and it does not grow for ever."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from watchlist_project.env import BadSetting
from watchlist_project.logfile import KEPT, MAX_BYTES, LogFile

logger = logging.getLogger("providers")
ROOT = Path(__file__).resolve().parents[2]
FORKED = """
import logging, os, sys
from pathlib import Path
from watchlist_project.logfile import LogFile
LogFile(Path(sys.argv[1])).open()
if (part := os.fork()) == 0:
    logging.warning("from a part")
    os._exit(0)
os.waitpid(part, 0)
logging.warning("from the supervisor")
"""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogFile]:
    root = logging.getLogger()
    before = list(root.handlers)
    found = LogFile(tmp_path)
    found.open()
    yield found
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
        handler.close()


def older(log: LogFile) -> list[Path]:
    return sorted(log.path.parent.glob("tsuzuku.log.*"))


def test_a_line_is_in_the_file_and_nobody_else_may_read_it(log: LogFile) -> None:
    logger.warning("asked %s", "a site\nERROR x")
    assert log.path.read_text().endswith("WARNING providers: asked a site\\nERROR x\n")
    assert log.path.parent.stat().st_mode & 0o077 == 0


def test_a_process_that_was_forked_writes_to_it_too(tmp_path: Path) -> None:
    # Not in this process, whose threads a fork would not take along.
    subprocess.run([sys.executable, "-c", FORKED, str(tmp_path)], check=True, cwd=ROOT)
    lines = LogFile(tmp_path).path.read_text().splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "from a part",
        "from the supervisor",
    ]


def test_a_small_file_stays(log: LogFile) -> None:
    logger.warning("kept")
    log.put_aside()
    assert older(log) == []


def test_a_large_file_is_put_aside_and_the_oldest_forgotten(log: LogFile) -> None:
    for number in range(KEPT + 2):
        logger.warning("file %d", number)
        os.truncate(log.path, MAX_BYTES)
        log.put_aside()
    logger.warning("new")
    assert log.path.read_text().endswith("new\n")
    firsts = [path.read_bytes().split(b"\n")[0].decode() for path in older(log)]
    assert [first[-6:] for first in firsts] == ["file 4", "file 3", "file 2"]


def test_a_folder_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file")
    with pytest.raises(BadSetting, match=r"Cannot start: DATA_DIR=.*can be written"):
        LogFile(tmp_path).open()

"""`manage.py up` on real processes: what dies comes back, what stops leaves nothing behind."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import socket
import subprocess
import sys
import termios
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from watchlist_project.embedded_broker import EmbeddedBroker
from watchlist_project.ownership import holders

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("broker", "web", "checks", "downloads", "beat")
LONG_ENOUGH_SECONDS = 60.0


class Running:
    """One supervisor on a DATA_DIR of its own, seen from outside."""

    command: tuple[str, ...] = (sys.executable, "manage.py", "up")

    def __init__(self, data_dir: Path, **variables: str) -> None:
        self.data_dir = data_dir
        self.log = data_dir.with_name(f"{uuid.uuid4()}.log")
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with self.log.open("ab") as log:
            self.process = self.launch(
                cwd=ROOT,
                env={**environment, "DATA_DIR": str(data_dir), "PORT": "0", **variables},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def launch(self, **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.command, **options)

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def part(self, name: str) -> psutil.Process:
        """The main process of a part, as soon as it has its name."""
        wait_for(lambda: self.find(name), self.output)
        found = self.find(name)
        assert found is not None
        return found

    def find(self, name: str) -> psutil.Process | None:
        """The main process of a part, while it has one."""
        for child in psutil.Process(self.process.pid).children():
            try:
                words = " ".join(child.cmdline())
            except psutil.NoSuchProcess:
                continue
            if words.startswith(f"tsuzuku: {name}") or (name == "broker" and "unixsocket" in words):
                return child
        return None

    def everything(self) -> list[psutil.Process]:
        me = psutil.Process(self.process.pid)
        return [me, *me.children(recursive=True)]

    def workers_are_alive(self) -> bool:
        broker = EmbeddedBroker(self.data_dir)
        keys = [f"tsuzuku:1:worker:{kind}" for kind in ("checks", "downloads")]
        try:
            return broker.command("SELECT", "2").startswith(b"+OK") and all(
                self.cached(key) for key in keys
            )
        except OSError:
            return False

    def cached(self, key: str) -> bool:
        """Whether the cache, on database 2, has this key."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(str(EmbeddedBroker(self.data_dir).socket))
            connection.sendall(f"SELECT 2\r\nEXISTS {key}\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2:
                answer += connection.recv(100)
        return answer.endswith(b":1\r\n")

    def wait_until_up(self) -> None:
        wait_for(lambda: "Tsuzuku is at" in self.output(), self.output)
        wait_for(self.workers_are_alive, self.output)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(LONG_ENOUGH_SECONDS)


class InTerminal(Running):
    """As `make run` in a terminal window: a parent that leads the session and only waits."""

    command = ("/bin/sh", "-c", f"{sys.executable} manage.py up; exit $?")

    def launch(self, **options: Any) -> subprocess.Popen[bytes]:
        self.window, inside = pty.openpty()
        try:
            return subprocess.Popen(
                self.command,
                stdin=inside,
                start_new_session=True,
                preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 -- no threads
                **options,
            )
        finally:
            os.close(inside)

    def close_window(self) -> None:
        os.close(self.window)


class UnderNohup(Running):
    command = ("nohup", sys.executable, "manage.py", "up")


def wait_for(is_so: Callable[[], object], explain: Callable[[], object] = lambda: "") -> None:
    """A generous limit for a loaded machine; what is asserted is that it happens, not when."""
    deadline = time.monotonic() + LONG_ENOUGH_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.05)


def are_gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


@pytest.fixture(scope="module", autouse=True)
def _closing_the_terminal_means_something() -> Iterator[None]:
    """Tests may themselves be started under `nohup`, which every child would inherit."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DATA_DIR that was started once, so that the tests do not wait for its making."""
    data_dir = tmp_path_factory.mktemp("up") / "d"
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    subprocess.run(
        [sys.executable, "manage.py", "prepare"],
        cwd=ROOT,
        env={**environment, "DATA_DIR": str(data_dir)},
        check=True,
        capture_output=True,
    )
    return data_dir


@pytest.fixture
def running(prepared: Path) -> Iterator[Running]:
    one = Running(prepared)
    try:
        one.wait_until_up()
        yield one
    finally:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        wait_for(lambda: not holders(prepared / "parts.lock"))


@pytest.mark.parametrize("name", PARTS)
def test_a_killed_part_comes_back(running: Running, name: str) -> None:
    victim = running.part(name)
    family = [victim, *victim.children(recursive=True)]
    victim.kill()
    wait_for(lambda: are_gone(family), running.output)

    def is_back() -> bool:
        heir = running.find(name)
        return heir is not None and heir.pid != victim.pid

    wait_for(is_back, running.output)
    wait_for(running.workers_are_alive, running.output)


def test_a_killed_pool_child_is_replaced_and_the_worker_stays(running: Running) -> None:
    worker = running.part("checks")
    wait_for(lambda: len(worker.children()) == 2, running.output)
    victim = worker.children()[0]
    victim.kill()
    wait_for(lambda: victim.pid not in {child.pid for child in worker.children()}, running.output)
    wait_for(lambda: len(worker.children()) == 2, running.output)
    assert running.part("checks").pid == worker.pid


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_ends_well_and_leaves_no_process(running: Running, number: int) -> None:
    processes = running.everything()
    assert len(processes) > len(PARTS)
    assert running.stop(number) == 0
    assert are_gone(processes)
    assert "Traceback" not in running.output()


def test_a_closed_terminal_stops_everything(prepared: Path) -> None:
    one = InTerminal(prepared)
    one.wait_until_up()
    processes = psutil.Process(one.process.pid).children(recursive=True)
    assert len(processes) > len(PARTS)
    one.close_window()
    wait_for(lambda: are_gone(processes), one.output)
    one.process.wait(LONG_ENOUGH_SECONDS)


def test_under_nohup_a_closed_terminal_means_nothing(prepared: Path) -> None:
    one = UnderNohup(prepared)
    try:
        one.wait_until_up()
        one.process.send_signal(signal.SIGHUP)
        victim = one.part("beat")
        victim.kill()
        wait_for(lambda: one.find("beat") not in {None, victim}, one.output)
        assert one.stop() == 0
    finally:
        one.process.kill()


def test_a_killed_supervisor_leaves_no_process_and_the_next_start_is_clean(
    running: Running,
) -> None:
    processes = running.everything()
    running.process.kill()
    running.process.wait()
    again = Running(running.data_dir)
    try:
        again.wait_until_up()
        assert are_gone(processes)
        assert again.stop() == 0
    finally:
        again.process.kill()


def test_a_second_supervisor_is_refused_with_one_sentence(running: Running) -> None:
    second = Running(running.data_dir)
    assert second.process.wait(LONG_ENOUGH_SECONDS) == 1
    (line,) = second.output().splitlines()
    assert line.startswith(f"Cannot start: Tsuzuku already runs on {running.data_dir}")
    assert str(running.process.pid) in line
    assert running.process.poll() is None


def test_a_port_in_use_is_one_line(prepared: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        one = Running(prepared.with_name("taken"), PORT=str(port))
        assert one.process.wait(LONG_ENOUGH_SECONDS) == 1
    (line,) = one.output().splitlines()
    assert line.startswith(f"Cannot start: PORT={port} on 127.0.0.1 cannot be used")


def test_a_broker_that_does_not_answer_is_one_line(prepared: Path) -> None:
    one = Running(prepared.with_name("remote"), REDIS_URL="redis://127.0.0.1:1/0")
    assert one.process.wait(LONG_ENOUGH_SECONDS) == 1
    (line,) = one.output().splitlines()
    assert line == "Cannot start: the broker of REDIS_URL does not answer at 127.0.0.1 port 1."


def test_state_is_closed_to_others(running: Running) -> None:
    modes = {
        path.relative_to(running.data_dir).as_posix(): oct(path.stat().st_mode & 0o777)
        for path in running.data_dir.rglob("*")
        if path.parent.name in {"d", "broker"} and path.name not in {"library", "static"}
    }
    assert modes["broker"] == "0o700"
    assert modes["secret_key"] == modes["setup_code"] == modes["tsuzuku.sqlite3"] == "0o600"
    assert modes["broker/valkey.sock"] == "0o700"


def test_what_is_logged_is_kept_in_the_data_folder(running: Running) -> None:
    log = running.data_dir / "logs" / "tsuzuku.log"
    wait_for(lambda: "Tsuzuku is at" in log.read_text(encoding="utf-8"), running.output)

"""Clips, servers and a caller of the engine."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from downloads.engine.fetch import fetch
from downloads.engine.types import Command, FetchedFile, FetchRequest, Limits, Progress
from downloads.tests.engine.clips import make_clip, make_encrypted_hls, make_hls
from downloads.tests.engine.origin import Origin
from providers.safe_url import EgressPolicy
from providers.streams import Stream, StreamKind

CLIP_SECONDS = 12.0
FAST = Limits(
    max_connections=1,
    connect_timeout_seconds=2.0,
    stall_timeout_seconds=1.0,
    retry_wait_seconds=0.05,
    max_retries=3,
)


@dataclass
class Owner:
    """A control that remembers what it was told and says what it is told to say."""

    allowed: Limits = FAST
    command: Command = Command.GO_ON
    seen: list[Progress] = field(default_factory=list)
    on_progress: Callable[[Progress], None] = lambda _progress: None
    on_poll: Callable[[], None] = lambda: None

    def poll(self) -> Command:
        self.on_poll()
        return self.command

    def limits(self) -> Limits:
        return self.allowed

    def progress(self, progress: Progress) -> None:
        self.seen.append(progress)
        self.on_progress(progress)


Fetch = Callable[..., FetchedFile]


@pytest.fixture
def work_dir(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.fixture
def run(work_dir: Path) -> Fetch:
    """Fetch a URL into `work_dir` with quick retries."""

    def call(
        url: str,
        *,
        kind: StreamKind = StreamKind.HTTP,
        owner: Owner | None = None,
        stream: Stream | None = None,
        egress: EgressPolicy | None = None,
        **request: object,
    ) -> FetchedFile:
        return fetch(
            FetchRequest(
                stream=stream or Stream(url, kind),
                work_dir=work_dir,
                egress=egress or EgressPolicy.parse(["127.0.0.0/8"]),
                **request,  # type: ignore[arg-type]
            ),
            owner or Owner(),
        )

    return call


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as server:
        yield server


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def secure_origin(authority: trustme.CA) -> Iterator[Origin]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with Origin(tls=context) as server:
        yield server


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="session")
def clip(clips: Path) -> bytes:
    """A faststart MP4 of twelve seconds, about two megabytes."""
    options = {"movflags": "faststart"}
    return make_clip(clips / "a.mp4", seconds=CLIP_SECONDS, options=options).read_bytes()


@pytest.fixture(scope="session")
def other_clip(clips: Path) -> bytes:
    """Another video of the same kind."""
    options = {"movflags": "faststart"}
    path = make_clip(clips / "b.mp4", seconds=CLIP_SECONDS, options=options, seed=2)
    return path.read_bytes()


@pytest.fixture(scope="session")
def ts_stream(clips: Path) -> Path:
    return make_hls(clips / "ts", seconds=CLIP_SECONDS).parent


@pytest.fixture(scope="session")
def fmp4_stream(clips: Path) -> Path:
    folder = clips / "fmp4"
    return make_hls(folder, seconds=CLIP_SECONDS, hls_segment_type="fmp4").parent


@pytest.fixture(scope="session")
def aes_stream(clips: Path) -> Path:
    return make_encrypted_hls(clips / "aes", seconds=CLIP_SECONDS).parent

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from providers.tests.hostile import BEHAVIOURS
from providers.tests.origin import Origin

ROOT = Path(__file__).resolve().parents[2]
# Prints by how many MB the peak of the process grew over a first, ordinary request.
PROGRAM = """
import resource, sys
from providers.errors import ProviderError
from providers.site_client import SiteHttpClient
from providers.safe_url import EgressPolicy
port = int(sys.argv[1])
client = SiteHttpClient(
    f"http://127.0.0.1:{port}", EgressPolicy.parse([f"127.0.0.1:{port}"]), deadline_seconds=3
)
def ask():
    try:
        client.get("/")
    except ProviderError:
        pass
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    client.get("/ordinary")
except ProviderError:
    pass
before = peak()
for _ in range(3):
    ask()
print((peak() - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux gives the peak in kilobytes.")
@pytest.mark.parametrize(
    "name",
    [
        "a bomb of 100 MB in 100 kB",
        "endless body",
        "endless chunks",
        "endless empty members",
        "compressed four times",
        "sends noise for ever",
        "ten thousand headers",
        "broken, with an endless page",
    ],
)
def test_a_hostile_answer_costs_little_memory(origin: Origin, name: str) -> None:
    origin.answers["/"] = BEHAVIOURS[name][0]
    child = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM, str(origin.port)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=True,
    )
    assert int(child.stdout) <= 150

"""`make bench` finds what it runs."""

from __future__ import annotations

import pytest

from bench import run


@pytest.mark.parametrize("name", run.BENCHMARKS)
def test_every_benchmark_is_a_program(name: str) -> None:
    assert "__main__" in run.script_of(name).read_text(encoding="utf-8")

from __future__ import annotations

from collections.abc import Iterator

import pytest

from providers.demo import DemoSite


@pytest.fixture
def site() -> Iterator[DemoSite]:
    with DemoSite() as running:
        yield running

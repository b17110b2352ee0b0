from __future__ import annotations

import pytest

from providers.addresses import check_base_url, moved_base
from providers.errors import EgressRefused
from providers.safe_url import EgressPolicy


@pytest.mark.parametrize(
    ("base", "asked", "answered", "moved"),
    [
        (
            "https://old.example",
            "/catalogue/x/",
            "https://new.example/catalogue/x",
            "https://new.example",
        ),
        ("https://old.example/a", "/s/x", "https://new.example/b/s/x", "https://new.example/b"),
        ("https://old.example", "/s/x", "https://old.example/s/x", None),
        ("http://old.example", "/s/x", "http://old.example:80/s/x", None),
        ("http://old.example", "/s/x", "https://old.example/s/x", "https://old.example"),
        ("https://old.example", "/s/x", "https://parked.example/", None),
        ("https://old.example", "/", "https://parked.example/", None),
        ("https://old.example", "/s/x", "https://new.example/login?next=/s/x", None),
    ],
)
def test_a_move_is_seen_by_the_same_path_on_another_host(
    base: str, asked: str, answered: str, moved: str | None
) -> None:
    assert moved_base(base, base + asked, answered) == moved


def test_a_private_address_is_refused_with_the_name_of_the_variable_that_allows_it() -> None:
    with pytest.raises(EgressRefused, match="ALLOWED_PRIVATE_HOSTS"):
        check_base_url("http://10.1.2.3/site", EgressPolicy())

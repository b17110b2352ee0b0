"""How the program starts: variables, secrets, one clear line for what is wrong."""

from __future__ import annotations


def test_the_cache_is_a_real_server() -> None:
    from django.core.cache import cache

    cache.set("k", 1)
    assert cache.get("k") == 1

"""Addresses of a site as a table of patterns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from providers.demo.context import Context
from providers.demo.wire import Reply, Request


@dataclass(frozen=True, slots=True)
class Address:
    """The site's base address and the parts of the path that count."""

    base: str  # without a trailing slash
    parts: tuple[str, ...]  # "" for a part that is not there

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return "/".join(self.base.split("/")[:3])

    @property
    def path(self) -> str:
        """The part of the base address that root-relative links begin with."""
        return self.base.removeprefix(self.origin)


Make = Callable[[Context, Request, Address], Reply | None]
Route = tuple[re.Pattern[str], Make]


def route(pattern: str, make: Make) -> Route:
    """A row of the table; the pattern is for the whole path below the site's base."""
    return re.compile(pattern), make


def routed(
    routes: Iterable[Route], context: Context, request: Request, prefix: str
) -> Reply | None:
    """The page that the table has for a request."""
    path = request.path
    # Who joins a path with the prefix to a base address with the prefix shall be served, too.
    while path.startswith(f"{prefix}/"):
        path = path.removeprefix(prefix)
    path = "/" if path == prefix else path
    for pattern, make in routes:
        if found := pattern.fullmatch(path):
            address = Address(request.origin + prefix, found.groups(default=""))
            return make(context, request, address)
    return None

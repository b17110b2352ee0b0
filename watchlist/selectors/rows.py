"""A database query whose rows become typed values only when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet

Row = TypeVar("Row")


class Rows(Generic[Row]):
    """A lazy list of read models, as `Paginator` wants it: it can be counted, sliced and walked.

    Counting asks the filters alone; slicing fetches one window and turns it into rows at once, so
    that whatever a row needs from other tables is fetched for the whole window.
    """

    def __init__(
        self,
        queryset: QuerySet[Any, Any],
        fetch: Callable[[QuerySet[Any, Any]], list[Row]],
        *,
        counted: QuerySet[Any, Any] | None = None,
    ) -> None:
        """Take the query for the rows; `counted` is a cheaper one with as many."""
        self._queryset = queryset
        self._fetch = fetch
        self._counted = queryset if counted is None else counted

    def count(self) -> int:
        """How many rows there are in all."""
        return self._counted.order_by().count()

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, window: slice) -> list[Row]:
        return self._fetch(self._queryset[window])

    def __iter__(self) -> Iterator[Row]:
        return iter(self._fetch(self._queryset))

    def first(self) -> Row | None:
        """The first row, if there is any."""
        return next(iter(self[:1]), None)

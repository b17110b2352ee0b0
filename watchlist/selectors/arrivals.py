"""When the episodes of series appeared: what their rhythm is read from."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.db.models import Aggregate, F, QuerySet, TextField
from django.db.models.functions import Cast, Coalesce

from watchlist.models import Episode

# A rhythm is read from the arrivals of this time: eight fortnightly episodes fit in.
LOOK_BACK: Final = timedelta(days=130)
# As the site says, else when we saw it first.
APPEARED_AT: Final = Coalesce(F("published_at"), F("first_seen_at"))


class _Joined(Aggregate):
    """Moments of a group as texts with commas between them, each in UTC and saying so."""

    output_field: ClassVar = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """SQLite's texts leave out that they are in UTC."""
        template = "GROUP_CONCAT((%(expressions)s) || '+00:00', ',')"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Django sets the time zone of its connections to UTC."""
        template = "STRING_AGG(%(expressions)s, ',')"
        return self.as_sql(compiler, connection, template=template, **context)


# Making the query costs as much as running it, so it is made once.
_READ: Final[QuerySet[Episode, Any]] = (
    Episode.objects.filter(is_special=False)
    .order_by()
    .values_list("series_id")
    .annotate(moments=_Joined(Cast(APPEARED_AT, TextField())))
)


def arrivals_of(
    series_ids: Collection[uuid.UUID], now: datetime
) -> dict[uuid.UUID, list[datetime]]:
    """The moments at which episodes that are no specials appeared, by series, in any order.

    One row for each series and not for each episode: a long list has thousands of episodes.
    """
    if not series_ids:
        return {}
    rows = _READ.filter(series__in=series_ids, first_seen_at__gt=now - LOOK_BACK)
    parsed = datetime.fromisoformat
    return {series_id: [parsed(text) for text in moments.split(",")] for series_id, moments in rows}

"""When the episodes of series appeared: what their rhythm is read from."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final

from django.db.models import Aggregate, F, TextField
from django.db.models.functions import Cast, Coalesce

from watchlist.models import Episode

# A rhythm is read from the arrivals of this time: eight fortnightly episodes fit in.
LOOK_BACK: Final = timedelta(days=130)
# As the site says, else when we saw it first.
APPEARED_AT: Final = Coalesce(F("published_at"), F("first_seen_at"))


class _Joined(Aggregate):
    """Texts of a group with commas between them."""

    function = "GROUP_CONCAT"
    output_field: ClassVar = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """The same by its Postgres name."""
        template = "STRING_AGG(%(expressions)s, ',')"
        return self.as_sql(compiler, connection, template=template, **context)


def arrivals_of(
    series_ids: Collection[uuid.UUID], now: datetime
) -> dict[uuid.UUID, list[datetime]]:
    """The moments at which episodes that are no specials appeared, by series, in any order.

    One row for each series and not for each episode: a long list has thousands of episodes.
    """
    if not series_ids:
        return {}
    rows = Episode.objects.filter(
        series__in=series_ids, is_special=False, first_seen_at__gt=now - LOOK_BACK
    )
    grouped = rows.order_by().values_list("series_id")
    joined = grouped.annotate(moments=_Joined(Cast(APPEARED_AT, TextField())))
    return {
        series_id: [_moment(text) for text in moments.split(",")] for series_id, moments in joined
    }


def _moment(text: str) -> datetime:
    """What the database wrote; SQLite leaves out that it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

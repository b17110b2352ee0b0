"""How numbers and times look in JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal


def number(value: Decimal | None) -> int | float | None:
    """Write 7 as 7 and 12.5 as 12.5."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def moment(value: datetime | None) -> str | None:
    """ISO 8601 in UTC with a Z, whatever time zone the reader has chosen for the pages."""
    if value is None:
        return None
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return f"{value.isoformat()[:-6]}Z"

"""Tells a sample or an error clip from an episode, by the series' other episodes."""

from __future__ import annotations

import statistics
from typing import Final

from downloads.engine.errors import WrongLength
from downloads.models import Download
from downloads.states import State

# Episodes of one series differ (a recap, a double-length finale), but a sample is far shorter.
SAMPLE_RATIO: Final = 0.5
SAMPLE_NEEDS_EPISODES: Final = 3


def refuse_sample(download: Download, duration_seconds: float) -> None:
    """Raises WrongLength for a file much shorter than the series' other episodes."""
    usual = _usual_seconds(download)
    if usual and duration_seconds < usual * SAMPLE_RATIO:
        raise WrongLength(
            f"The file runs {duration_seconds:.0f} s; "
            f"other episodes of this series run about {usual:.0f} s."
        )


def _usual_seconds(download: Download) -> float | None:
    """The median length of the series' episodes in the library; None until there are some."""
    completed = Download.objects.filter(
        provider_id=download.provider_id,
        series_ref=download.series_ref,
        state=State.COMPLETED,
    ).values_list("duration_seconds", flat=True)[:50]
    known = [seconds for seconds in completed if seconds]
    return statistics.median(known) if len(known) >= SAMPLE_NEEDS_EPISODES else None

"""The one Celery application: JSON only, limits by kind of worker, signs of life, early stop."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchlist_project.settings")
# Each worker would load every page and form to check them; `make check` does that.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

from django.conf import settings

from downloads import stopping
from watchlist_project.heartbeat import beat_once
from watchlist_project.processes import die_with_parent, rename
from watchlist_project.queues import DOWNLOAD_QUEUES

SIGNS_OF_LIFE = ("worker:checks", "worker:downloads")
SIGN_OF_LIFE_SECONDS = 10
# Three signs may be late before a worker counts as gone.
SIGN_OF_LIFE_EXPIRES_SECONDS = 35

# Below what the supervisor allows for the whole stop.
CHECKS_STOP_SECONDS = 2.0

_kind = "checks"
_main_process = 0

app = Celery("watchlist_project")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Reads the settings now, so that a bad variable stops the program here with its one line.
_ = settings.DATA_DIR


def kind_of(queues: Any) -> str:
    """`downloads` for a worker of the downloads queue alone, else `checks`."""
    names = queues.split(",") if isinstance(queues, str) else list(queues or ())
    return "downloads" if names == [*DOWNLOAD_QUEUES] else "checks"


@signals.setup_logging.connect(weak=False)
def _keep_our_logging(**_kwargs: Any) -> None:
    """Celery configures no logging when somebody answers this signal; Django's stays."""


@signals.celeryd_init.connect(weak=False)
def _limit_by_kind(conf: Any, options: dict[str, Any], **_kwargs: Any) -> None:
    """A check is cut off after its limit; a download takes as long as it takes."""
    global _kind, _main_process
    stopping.renew()
    _kind, _main_process = kind_of(options.get("queues")), os.getpid()
    if _kind == "checks":
        conf.task_time_limit = settings.CHECK_TASK_HARD_LIMIT_SECONDS
        conf.worker_max_tasks_per_child = settings.CHECK_TASKS_PER_CHILD


@signals.worker_process_init.connect(weak=False)
def _end_with_the_worker(**_kwargs: Any) -> None:
    """Celery asks the kernel for this too, but a parent that died just before goes unnoticed."""
    die_with_parent(_main_process)
    rename(f"{_kind} child (celery worker)")


@signals.worker_process_shutdown.connect(weak=False)
def _finish_checks(**_kwargs: Any) -> None:
    """What this process still asks is recorded or given back, not left to its lease."""
    if _kind == "checks":
        import_module("watchlist.services.checking").finish(patience_seconds=CHECKS_STOP_SECONDS)


@signals.worker_ready.connect(weak=False)
def _give_signs_of_life(sender: Any, **_kwargs: Any) -> None:
    """Tell the cache every few seconds, from the worker's own main loop, that it turns."""
    rename(f"{_kind} (celery worker)")
    _sign_of_life()
    sender.timer.call_repeatedly(SIGN_OF_LIFE_SECONDS, _sign_of_life)


@signals.worker_shutting_down.connect(weak=False)
def _stop_running_downloads(**_kwargs: Any) -> None:
    stopping.request_stop()


def _sign_of_life() -> None:
    beat_once(f"worker:{_kind}", SIGN_OF_LIFE_EXPIRES_SECONDS)

"""One readable line for each event on standard output, with the task it belongs to."""

from __future__ import annotations

import logging
import re
import time
from typing import Any

from celery import current_task

# Text from outside may carry line feeds and terminal escapes; a log line must not obey them.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_AND_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Whoever knows these parts of an address has the calendar or the account, and logs are shown
# around. They are long: where a provider's feed is stays readable.
_SECRET = re.compile(r"(?<=/feeds/)[^/\s]{40,}|(?<=/accounts/password/)[^/\s]+/[^/\s]+")


class TaskContext(logging.Filter):
    """Adds the running Celery task's name and id to each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Set `record.task`; every record passes."""
        request: Any = getattr(current_task, "request", None)
        is_running = bool(request and request.id)
        record.task = f" [{current_task.name} {request.id}]" if is_running else ""
        return True


class NotHealth(logging.Filter):
    """Health checks that find something missing are asked again every few seconds."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the request was for something else than health."""
        request: Any = getattr(record, "request", None)
        return getattr(request, "path", "").rstrip("/") != "/healthz"


class WithoutTraceback(logging.Filter):
    """A request that Django refuses says all in its line, and anybody can send one."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop the traceback of a refusal; every record passes."""
        if record.name.startswith("django.security."):
            record.exc_info = None
        return True


class OneLine(logging.Formatter):
    """`2026-01-31 12:00:00Z INFO watchlist.tasks: message [task id]`, in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; a traceback follows on lines of its own."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(record.created))
        message = _written(record.getMessage(), _CONTROL_AND_BREAKS)
        task: Any = getattr(record, "task", "")
        line = f"{stamp} {record.levelname} {record.name}: {message}{task}"
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            line = f"{line}\n{_written(record.exc_text, _CONTROL)}"
        return line


def configuration(level: str) -> dict[str, Any]:
    """What `LOGGING` says: one handler for everything; `level` is the least that is written."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "task": {"()": TaskContext},
            "not_health": {"()": NotHealth},
            "without_traceback": {"()": WithoutTraceback},
        },
        "formatters": {"line": {"()": OneLine}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "filters": ["task", "without_traceback"],
                "formatter": "line",
            }
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Django would add handlers of its own, and mail to administrators.
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            "django.request": {"filters": ["not_health"]},
            "axes": {"level": "WARNING"},
            # One line for each message sent and received says nothing that the database does not.
            "celery": {"level": "WARNING"},
            "django_celery_beat": {"level": "WARNING"},
        },
    }


def _written(text: str, unwanted: re.Pattern[str]) -> str:
    return _SECRET.sub("[hidden]", unwanted.sub(_escaped, text))


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")

"""What can go wrong with a site. Each error carries its own policy; plain Python.

`retryable`: trying again later may help. `counts_against_health`: the whole provider is suspect,
not only this series. `retry_after_seconds`: the site's own wish, already capped.
"""

from __future__ import annotations

from typing import ClassVar


class ProviderError(Exception):
    """Base of all errors that adapters, hosts and the HTTP door raise.

    `str(error)` is one plain English sentence that a person may read.
    """

    code: ClassVar[str] = "provider_error"
    retryable: ClassVar[bool] = True
    counts_against_health: ClassVar[bool] = False

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Unreachable(ProviderError):
    """No answer, a broken answer, a 5xx, or the deadline passed."""

    code = "unreachable"
    counts_against_health = True


class RateLimited(ProviderError):
    """429, or 503 with Retry-After."""

    code = "rate_limited"
    counts_against_health = True


class FileNotYet(RateLimited):
    """The site answers well, but hands out this one file only after a wait."""

    counts_against_health = False


class Blocked(ProviderError):
    """A challenge page or a refusal (403, 451). Reported and left alone."""

    code = "blocked"
    counts_against_health = True


class EgressRefused(ProviderError):
    """The address is private or not HTTP(S); nothing was sent."""

    code = "egress_refused"
    retryable = False


class NotFound(ProviderError):
    """The series, episode or file is not there (404, 410)."""

    code = "not_found"


class LayoutChanged(ProviderError):
    """The page was read but does not have the shape we know; `field` names what is missing."""

    code = "layout_changed"
    counts_against_health = True

    def __init__(self, field: str, message: str = "") -> None:
        super().__init__(message or f"The site's page has changed: {field} could not be read.")
        self.field = field


class TooLarge(ProviderError):
    """The answer is larger than what such a page may be."""

    code = "too_large"


class EmptyList(ProviderError):
    """The list came back empty or much shorter than known; nothing was changed."""

    code = "suspect_list"


class NotASeries(ProviderError):
    """The URL is not a series of this provider; the message says what one looks like."""

    code = "not_a_series"
    retryable = False


class UnsupportedHost(ProviderError):
    """No reader for this video host, or the host is refused as a matter of policy."""

    code = "unsupported_host"
    retryable = False


class Licensed(ProviderError):
    """The site says that the series is licensed and does not offer it."""

    code = "licensed"
    retryable = False


class Protected(ProviderError):
    """DRM: reported, never worked around."""

    code = "protected"
    retryable = False


class UnknownProvider(ProviderError):
    """No adapter has this id."""

    code = "unknown_provider"
    retryable = False


class ProviderDisabled(ProviderError):
    """An administrator has not switched this provider on."""

    code = "provider_disabled"
    retryable = False


class BackingOff(ProviderError):
    """The provider failed lately; it is left alone until `retry_after_seconds` have passed."""

    code = "backing_off"

"""Typed readers of environment variables. A bad value ends the program with one line, no traceback.

The line names the variable, its value (never that of a secret) and what is accepted.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from providers.errors import EgressRefused
from providers.safe_url import check_url

T = TypeVar("T")

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_LONGEST_SHOWN = 200
_ALL_PERMISSIONS = 0o777
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN = re.compile(r"https?://[^\s/?#@\\]+")
_HOST = re.compile(
    rf"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>\.?{_LABEL}(?:\.{_LABEL})*))(?::[0-9]{{1,5}})?"
)


class BadSetting(SystemExit):
    """A variable that cannot be used; as a SystemExit it prints its line and nothing else."""


def refuse(name: str, shown: str, accepted: str) -> NoReturn:
    """End the program with one line about a variable; `shown` is its value as it may be seen."""
    value = shown if len(shown) <= _LONGEST_SHOWN else shown[:_LONGEST_SHOWN] + "..."
    raise BadSetting(f"Cannot start: {name}={value!r} is not valid; accepted: {accepted}.")


def text(name: str, default: str = "") -> str:
    """The variable with surrounding space removed; empty counts as not set."""
    return os.environ.get(name, "").strip() or default


def secret(name: str, default: str = "") -> str:
    """A secret from the variable, or from the file that `<name>_FILE` names."""
    file_name = text(f"{name}_FILE")
    if not file_name:
        return text(name, default)
    try:
        value = Path(file_name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        refuse(f"{name}_FILE", file_name, f"a readable text file ({reason})")
    if not value:
        refuse(f"{name}_FILE", file_name, "a text file that is not empty")
    return value


def integer(name: str, default: int, *, least: int, most: int) -> int:
    """A whole number within bounds."""
    value = text(name)
    try:
        number = int(value) if value else default
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        refuse(name, value, f"a whole number from {least} to {most}")
    return number


def numbers(name: str, keys: tuple[str, ...], *, least: int, most: int) -> dict[str, int]:
    """Whole numbers within bounds for some of the keys, from a list such as `a=1,b=2`."""
    found = {}
    for entry in words(name):
        key, _, number = (part.strip() for part in entry.partition("="))
        if key not in keys or not number.isdecimal() or not least <= int(number) <= most:
            known = ", ".join(keys)
            accepted = f"comma-separated NAME=NUMBER, {least} to {most}, for any of {known}"
            refuse(name, text(name), accepted)
        found[key] = int(number)
    return found


def decimal(name: str, *, least: float, most: float) -> float | None:
    """A number within bounds, or None when the variable is not set."""
    value = text(name)
    if not value:
        return None
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not least <= number <= most:
        refuse(name, value, f"a number from {least:g} to {most:g}")
    return number


def boolean(name: str, *, default: bool) -> bool:
    """A yes or a no."""
    value = text(name).lower()
    if value and value not in _TRUE | _FALSE:
        refuse(name, text(name), "1, true, yes or on; 0, false, no or off")
    return value in _TRUE if value else default


def choice(name: str, default: str, accepted: tuple[str, ...]) -> str:
    """One of a few words, in any case."""
    value = text(name, default).upper()
    if value not in accepted:
        refuse(name, text(name), ", ".join(accepted))
    return value


def time_zone(name: str, default: str) -> str:
    """A time zone by its name in the IANA database."""
    value = text(name, default)
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        refuse(name, value, "the name of a time zone such as Europe/Paris")


def words(name: str) -> list[str]:
    """A comma-separated list without empty entries."""
    return [word for entry in text(name).split(",") if (word := entry.strip())]


def umask(name: str) -> int:
    """The permission bits that new files do not get, in octal such as 022; used from here on."""
    value = text(name)
    if not value:
        # There is no way to only look.
        bits = os.umask(0o022)
        os.umask(bits)
        return bits
    try:
        bits = int(value, 8)
    except ValueError:
        bits = -1
    if not 0 <= bits <= _ALL_PERMISSIONS:
        refuse(name, value, "permission bits in octal from 000 to 777, such as 022")
    os.umask(bits)
    return bits


def converted(name: str, convert: Callable[[list[str]], T], accepted: str) -> T:
    """A comma-separated list turned into a value by `convert`, which may raise ValueError."""
    try:
        return convert(words(name))
    except ValueError as error:
        refuse(name, text(name), f"{accepted} ({error})")


def web_address(name: str) -> str:
    """An http(s) address without a trailing slash, or empty."""
    value = text(name).rstrip("/")
    if value:
        try:
            check_url(value)
        except EgressRefused:
            refuse(name, text(name), "an address such as https://example.org")
    return value


def origins(name: str) -> list[str]:
    """Comma-separated origins, each with its scheme."""
    found = words(name)
    for origin in found:
        if not _ORIGIN.fullmatch(origin):
            refuse(name, origin, "comma-separated origins such as https://tsuzuku.example.org")
    return found


def hosts(name: str) -> list[str]:
    """Comma-separated host names as `ALLOWED_HOSTS` compares them: in small letters, no port."""
    found = []
    for entry in words(name):
        try:
            found.append(_host(entry.lower()))
        except ValueError:
            refuse(
                name,
                entry,
                "comma-separated host names such as tsuzuku.example.org, .example.org for all "
                "below it, IP addresses, or *; without a scheme or a path",
            )
    return found


def folder(name: str, default: Path) -> Path:
    """An absolute path of a folder that exists (made if need be) and can be written to."""
    path = Path(text(name) or default).expanduser().absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        refuse(name, str(path), f"a folder that can be written to ({error.strerror})")
    if not os.access(path, os.W_OK | os.X_OK):
        refuse(name, str(path), "a folder that can be written to (permission denied)")
    return path


def generated_secret(name: str, path: Path) -> str:
    """A secret from the environment, else the one kept in `path`, made at the first start.

    Several processes may start at once: the file is linked into place whole, the first one wins.
    """
    value = secret(name)
    if value:
        return value
    try:
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(50))
        value = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        accepted = f"a value, or a file {path} that can be read and written ({error.strerror})"
        refuse(name, "", accepted)
    return value or refuse(name, "", f"a value; the file {path} is empty")


def private_file(path: Path) -> None:
    """Make an empty file that only this account may read, unless it exists."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise BadSetting(f"Cannot start: {path} cannot be written: {error.strerror}.") from None


def database(name: str, default_path: Path) -> dict[str, object]:
    """ENGINE, NAME and so on of the database of a URL; SQLite at `default_path` if not set."""
    accepted = "postgres://user:password@host:port/name or sqlite:///path"
    url = secret(name)
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(default_path)}
    parts = _split(name, url, accepted)
    if parts.scheme in {"postgres", "postgresql"} and parts.path.strip("/"):
        return _postgres(name, parts, accepted)
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        path = Path(unquote(parts.path[1:])).expanduser().absolute()
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}
    refuse(name, _masked(url), accepted)


def broker_url(name: str) -> str:
    """The address of a Redis or Valkey server, or empty for the embedded one."""
    accepted = "redis://host:port/0, rediss://host:port/0 or redis+socket:///path"
    url = secret(name)
    if url:
        parts = _split(name, url, accepted)
        is_socket = parts.scheme == "redis+socket" and parts.path.startswith("/")
        if not is_socket and not (parts.scheme in {"redis", "rediss"} and parts.hostname):
            refuse(name, _masked(url), accepted)
    return url


def _masked(url: str) -> str:
    """An address that may hold a password, as far as it may be seen."""
    # The last @, as a password may hold one that should have been escaped.
    return re.sub(r"(?<=password=)[^&]*", "...", re.sub(r"^([^/]*//)?.*@", r"\1...@", url))


def _host(entry: str) -> str:
    if entry == "*":
        return entry
    found = _HOST.fullmatch(entry)
    if found is None or found["v6"]:
        # Raises ValueError for all that is not an address either. A browser sends the short form.
        address = ip_address(found["v6"] if found else entry)
        if address.version == 4 or "%" in entry:  # noqa: PLR2004 -- the Internet Protocol's
            raise ValueError(entry)
        return f"[{address.compressed}]"
    if found["name"].rpartition(".")[2].isdecimal():
        return str(ip_address(found["name"]))
    return found["name"]


def _postgres(name: str, parts: SplitResult, accepted: str) -> dict[str, object]:
    try:
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        refuse(name, _masked(parts.geturl()), f"{accepted}, with options as ?sslmode=require")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


def _split(name: str, url: str, accepted: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        refuse(name, _masked(url), accepted)
    return parts


def _write_once(path: Path, content: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    private_file(draft)
    draft.write_text(content + "\n", encoding="utf-8")
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)

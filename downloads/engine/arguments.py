"""What the command is told: its arguments, each refused with what would be right instead."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from providers.errors import EgressRefused
from providers.safe_url import check_url

_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_MAX_CONNECTIONS = 32
_HEIGHTS = (144, 240, 360, 480, 540, 576, 720, 1080, 1440, 2160, 4320)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("url", help="address of a video file, an HLS playlist or a DASH manifest")
    parser.add_argument("dir", type=_folder, help="folder for the finished file, made if need be")
    parser.add_argument(
        "--quality", type=_height, metavar="720p", help="the best up to this; or best, the default"
    )
    parser.add_argument(
        "--connections",
        type=_connections,
        default=4,
        metavar="N",
        help=f"at once at most, 1 to {_MAX_CONNECTIONS} (default 4)",
    )
    parser.add_argument("--referer", type=_referer, metavar="URL", help="page that the video is on")
    parser.add_argument(
        "--limit-rate", type=_rate, metavar="2M", help="bytes a second at most, such as 500k or 2M"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")


def own_arguments(words: Sequence[str], *, prog: str) -> argparse.Namespace | None:
    """The command's arguments; None when there are others among them. Exits for wrong ones."""
    parser = argparse.ArgumentParser(prog=prog, description="Download one video and verify it.")
    add_arguments(parser)
    arguments, others = parser.parse_known_args(words)
    return None if others else arguments


def _folder(text: str) -> Path:
    path = Path(text)
    nearest = next(one for one in (path, *path.absolute().parents) if one.exists())
    if not nearest.is_dir():
        raise argparse.ArgumentTypeError(f"{str(nearest)!r} is no folder")
    return path


def _height(text: str) -> int | None:
    word = text.strip().lower()
    if word in {"best", "auto"}:
        return None
    number = word.removesuffix("p")
    if not number.isdecimal() or int(number) not in _HEIGHTS:
        usual = ", ".join(f"{height}p" for height in _HEIGHTS)
        raise argparse.ArgumentTypeError(f"{text!r} is no quality; give best or one of {usual}")
    return int(number)


def _connections(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MAX_CONNECTIONS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number of connections; give one from 1 to {_MAX_CONNECTIONS}"
        )
    return int(text)


def _referer(text: str) -> str:
    try:
        check_url(text)
    except EgressRefused as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no address of a page: {error}") from None
    return text


def _rate(text: str) -> int:
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)([kmg]?)(?:i?b)?(?:/s)?", text.strip().lower())
    if match is None or float(match[1]) * _UNITS[match[2]] < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no rate such as 500k or 2M")
    return int(float(match[1]) * _UNITS[match[2]])

"""`python -m providers.demo`: the demo site as a program; prints its address as a line of JSON."""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys

from providers.demo.context import TRANSFER_SECONDS, MediaRate
from providers.demo.site import DemoSite

_RATE = re.compile(r"(\d+(?:\.\d+)?)([kM]?)")
_FACTORS = {"": 1, "k": 1_000, "M": 1_000_000}


def main() -> int:
    """Serve until SIGTERM or Ctrl-C."""
    options = _parser().parse_args()
    stopping = {signal.SIGTERM, signal.SIGINT}
    # Before any thread is started, so that none of them takes a signal.
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping)
    site = DemoSite(
        port=options.port,
        publish_every=options.publish_every or None,
        seed=options.seed,
        media_rate=options.media_rate,
    )
    try:
        site.start()
    except OSError as error:
        sys.stderr.write(f"The demo site cannot listen on port {options.port}: {error.strerror}\n")
        return 1
    sys.stdout.write(json.dumps({"base_url": site.base_url}) + "\n")
    sys.stdout.flush()
    signal.sigwait(stopping)
    site.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m providers.demo", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument(
        "--publish-every", type=float, default=0, metavar="SECONDS", help="0: not by itself"
    )
    parser.add_argument("--seed", type=int, default=1, help="which episodes lack which player")
    parser.add_argument(
        "--media-rate",
        type=_media_rate,
        default=MediaRate(seconds_per_file=TRANSFER_SECONDS),
        metavar="RATE",
        help='bytes a second for a video, for example 300k; "max" for no limit; '
        "left out: each video takes about eight seconds",
    )
    return parser


def _media_rate(text: str) -> MediaRate:
    if text == "max":
        return MediaRate()
    found = _RATE.fullmatch(text)
    if found is None or not float(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no rate like 300k or 2M")
    return MediaRate(float(found[1]) * _FACTORS[found[2]])


if __name__ == "__main__":
    sys.exit(main())

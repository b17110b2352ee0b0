"""What a broken or malicious server may do, and the error that each must end in."""

from __future__ import annotations

import gzip
import zlib
from typing import Final

from providers.errors import (
    Blocked,
    EgressRefused,
    NotFound,
    ProviderError,
    RateLimited,
    TooLarge,
    Unreachable,
)
from providers.tests.origin import (
    Behaviour,
    page,
    redirects,
    repeats,
    resets,
    sends,
    stays_silent,
)

_OK = b"HTTP/1.1 200 OK\r\n"
_CHALLENGE = b"<!doctype html><title>Just a moment...</title><script>window._cf_chl_opt={}</script>"
_DDOS_GUARD = (
    b"<html><title>DDoS-Guard</title><body data-ddg-origin='1'>"
    b"<script src='/.well-known/ddos-guard/js-challenge/index.js'></script>"
)


def _bomb() -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    pieces = [squeeze.compress(bytes(10_000_000)) for _ in range(10)]
    return b"".join(pieces) + squeeze.flush()


def _four_times(content: bytes) -> bytes:
    for _ in range(4):
        content = gzip.compress(content)
    return content


BEHAVIOURS: Final[dict[str, tuple[Behaviour, type[ProviderError]]]] = {
    "closes at once": (sends(), Unreachable),
    "resets at once": (resets(), Unreachable),
    "says nothing": (stays_silent(), Unreachable),
    "is no HTTP server": (sends(b"SSH-2.0-OpenSSH_9.2\r\n"), Unreachable),
    "sends noise for ever": (repeats(b"", b"\xff\x00" * 4000), Unreachable),
    "status line, then silence": (stays_silent(_OK), Unreachable),
    "status line, then the end": (sends(_OK), Unreachable),
    "half a header, then the end": (sends(_OK + b"Content-Ty"), Unreachable),
    "headers cut after a whole line": (sends(_OK + b"Server: x\r\n"), Unreachable),
    "status of four digits": (sends(b"HTTP/1.1 2000 OK\r\n\r\n"), Unreachable),
    "a header line every moment": (repeats(_OK, b"X: y\r\n", pause_seconds=0.3), Unreachable),
    "a header line every moment after a length of nothing": (
        repeats(_OK + b"Content-Length: 0\r\n", b"X: y\r\n", pause_seconds=0.3),
        Unreachable,
    ),
    "a byte every moment without a length": (
        repeats(_OK + b"\r\n", b"x", pause_seconds=0.1),
        Unreachable,
    ),
    "a letter of a header every moment": (repeats(_OK, b"X", pause_seconds=0.1), Unreachable),
    "endless 100 Continue": (
        repeats(b"", b"HTTP/1.1 100 C\r\n\r\n", pause_seconds=0.01),
        Unreachable,
    ),
    "103 and nothing else": (sends(b"HTTP/1.1 103 Early Hints\r\n\r\n"), Unreachable),
    "a header of 70 kB": (sends(_OK + b"X: " + b"a" * 70_000 + b"\r\n\r\n"), Unreachable),
    "ten thousand headers": (sends(_OK + b"X: y\r\n" * 10_000 + b"\r\n"), Unreachable),
    "a byte every moment": (
        repeats(_OK + b"Content-Length: 9000\r\n\r\n", b"x", pause_seconds=0.1),
        Unreachable,
    ),
    "a chunk every moment": (
        repeats(_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", pause_seconds=0.1),
        Unreachable,
    ),
    "endless body": (repeats(_OK + b"\r\n", b"x" * 65_536), TooLarge),
    "endless chunks": (
        repeats(_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n"),
        TooLarge,
    ),
    "announces 10 GB": (stays_silent(_OK + b"Content-Length: 10000000000\r\n\r\n"), TooLarge),
    "stops before the announced end": (
        sends(_OK + b"Content-Length: 1000\r\n\r\n" + b"x" * 10),
        Unreachable,
    ),
    "resets within the body": (
        resets(_OK + b"Content-Length: 1000\r\n\r\n" + b"x" * 10),
        Unreachable,
    ),
    "negative length": (sends(_OK + b"Content-Length: -5\r\n\r\nabc"), Unreachable),
    "two lengths": (
        sends(_OK + b"Content-Length: 5\r\nContent-Length: 9\r\n\r\nabcdefghi"),
        Unreachable,
    ),
    "a length that is no number": (sends(_OK + b"Content-Length: many\r\n\r\nabc"), Unreachable),
    "no length and no body": (sends(_OK + b"\r\n"), Unreachable),
    "chunks without an end": (
        sends(_OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        Unreachable,
    ),
    "a chunk size that is no number": (
        sends(_OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"),
        Unreachable,
    ),
    "a bomb of 100 MB in 100 kB": (sends(page(_bomb(), Content_Encoding="gzip")), TooLarge),
    "compressed four times": (
        sends(page(_four_times(bytes(1000)), Content_Encoding="gzip, gzip, gzip, gzip")),
        Unreachable,
    ),
    "a coding that nobody asked for": (sends(page(b"x", Content_Encoding="br")), Unreachable),
    "compressed and cut": (
        sends(page(gzip.compress(b"abc" * 1000)[:-9], Content_Encoding="gzip")),
        Unreachable,
    ),
    "said to be compressed": (sends(page(b"plain", Content_Encoding="gzip")), Unreachable),
    "endless empty members": (
        repeats(_OK + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"") * 200),
        TooLarge,
    ),
    "redirects to itself": (redirects("/"), Unreachable),
    "redirects to nowhere": (sends(page(b"", status="302 Found")), Unreachable),
    "redirects to a file": (redirects("file:///etc/passwd"), EgressRefused),
    "redirects to gopher": (redirects("gopher://127.0.0.1:70/"), EgressRefused),
    "redirects to data": (redirects("data:text/html,hello"), EgressRefused),
    "redirects to a broker": (redirects("http://127.0.0.1:6379/"), EgressRefused),
    "redirects to metadata": (redirects("http://169.254.169.254/latest/"), EgressRefused),
    "redirects to another host by a trick": (
        redirects("http://127.0.0.1\\@x.example/"),
        EgressRefused,
    ),
    "redirects with a login": (redirects("http://a:b@x.example/"), EgressRefused),
    "redirects to a broken address": (redirects("http://[::1/"), EgressRefused),
    "redirects to bytes": (redirects("http://\xff\xfe/"), EgressRefused),
    "304 that nobody asked for": (sends(b"HTTP/1.1 304 Not Modified\r\n\r\n"), Unreachable),
    "206 that nobody asked for": (sends(page(b"x", status="206 Partial Content")), Unreachable),
    "challenge with 403": (sends(page(_CHALLENGE, status="403 Forbidden")), Blocked),
    "challenge with 503": (sends(page(_CHALLENGE, status="503 Unavailable")), Blocked),
    "challenge with 200": (sends(page(_CHALLENGE)), Blocked),
    "challenge behind a byte order mark": (sends(page(b"\xef\xbb\xbf" + _CHALLENGE)), Blocked),
    "challenge of DDoS-Guard": (sends(page(_DDOS_GUARD)), Blocked),
    "challenge by header": (sends(page(b"x", cf_mitigated="challenge")), Blocked),
    "refusal": (sends(page(b"no", status="403 Forbidden")), Blocked),
    "legal refusal": (sends(page(b"no", status="451 Legal")), Blocked),
    "too many requests": (sends(page(b"", status="429 Slow down")), RateLimited),
    "busy until later": (sends(page(b"", status="503 Busy", Retry_After="60")), RateLimited),
    "busy": (sends(page(b"", status="503 Busy")), Unreachable),
    "broken": (sends(page(b"", status="500 Oops")), Unreachable),
    "broken, with an endless page": (
        repeats(b"HTTP/1.1 500 Oops\r\n\r\n", b"x" * 65_536),
        Unreachable,
    ),
    "missing": (sends(page(b"", status="404 Not Found")), NotFound),
    "gone": (sends(page(b"", status="410 Gone")), NotFound),
    "missing, half a page": (
        sends(b"HTTP/1.1 404 Not Found\r\nContent-Length: 50\r\n\r\nx"),
        NotFound,
    ),
}

"""An anime-sama with as many series as are asked for: any slug is a season of 24 episodes.

Run: `python bench/origin.py`; prints its port. `POST /publish` adds an episode to every season.
"""

from __future__ import annotations

import socket
import threading

PLAYERS = 3


class Origin:
    """One thread a connection and no library in between: it must cost less than what it feeds."""

    def __init__(self) -> None:
        self.episodes = 24
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]

    def serve(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        waiting = b""
        while True:
            while b"\r\n\r\n" not in waiting:
                received = connection.recv(65_536)
                if not received:
                    return
                waiting += received
            head, _, waiting = waiting.partition(b"\r\n\r\n")
            connection.sendall(self._answer(head))

    def _answer(self, head: bytes) -> bytes:
        if head.startswith(b"POST /publish"):
            self.episodes += 1
            return _response(b"published", b'"x"')
        etag = f'"{self.episodes}"'.encode()
        if etag in head:
            return b"HTTP/1.1 304 Not Modified\r\nETag: " + etag + b"\r\n\r\n"
        page = self._script() if b"episodes.js" in head else self._season()
        return _response(page, etag)

    def _script(self) -> bytes:
        lists = []
        for player in range(1, PLAYERS + 1):
            urls = ",\n".join(
                f"'https://video.sibnet.ru/shell.php?videoid={player}{n:05}'"
                for n in range(self.episodes)
            )
            lists.append(f"var eps{player} = [\n{urls},\n];\n")
        return "".join(lists).encode()

    def _season(self) -> bytes:
        return (
            "<html><body><h3 id='titreOeuvre'>Paper Lanterns</h3>"
            "<script src='episodes.js?filever=1'></script>"
            "<script>resetListe(); finirListe(1);</script>" + "<p>filler</p>" * 1500 + "<script>"
            "/* creerListe(1, 2); */ resetListe(); creerListe(1, 12); finirListe(13);"
            "</script></body></html>"
        ).encode()


def _response(body: bytes, etag: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nETag: %s\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (etag, len(body), body)
    )


if __name__ == "__main__":
    origin = Origin()
    print(origin.port, flush=True)
    origin.serve()

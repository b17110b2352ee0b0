"""The web server's socket: one line that names the variable to change."""

from __future__ import annotations

import socket

import pytest

from watchlist_project import web
from watchlist_project.env import BadSetting


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid"])
def test_a_host_that_is_not_this_machine_names_the_variable(host: str) -> None:
    with pytest.raises(BadSetting, match=rf"^Cannot start: HOST='{host}' is not valid"):
        web.open_socket(host, 0)


def test_a_port_in_use_names_the_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadSetting, match=rf"^Cannot start: PORT={port} on 127.0.0.1"):
            web.open_socket("127.0.0.1", port)

"""A real Chromium against a real server on a seeded database. Without a Chromium these tests are skipped with a hint."""

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.app.house import House, open_house
from tests.conftest import Server

sync_api = pytest.importorskip("playwright.sync_api", reason="the test extra is not installed")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


class Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def house(server: Server, keys: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = open_house(server, tmp_path_factory.mktemp("house"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def portal(house: House) -> Iterator[str]:
    served = make_server("127.0.0.1", 0, house.app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{served.port}"
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    program = os.environ.get("TS_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not program:
        pytest.skip("no Chromium here; install it with: apt-get install chromium, or set TS_CHROMIUM")
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


AXE = Path(__file__).parent / "vendor" / "axe.min.js"

"""The store's pages over a database with an operator and an enterprise; wheels with a description and pictures."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from flask import Flask

from core.identity import name_operator
from tests.conftest import OTHER
from tests.host.life.wheels import file_name, wheel
from tests.identity.browser import Browser, open_app
from tests.identity.conftest import House, house

__all__ = ["house"]

Wheel = tuple[str, bytes]


@pytest.fixture(scope="module")
def app(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    house.scalar("DELETE FROM ts.plugin RETURNING 1")
    with house.unit.system(OTHER, "test") as ctx:
        name_operator(ctx)
    with open_app(house, tmp_path_factory.mktemp("data")) as made:
        yield made


@pytest.fixture(scope="module")
def operator(app: Flask, house: House) -> Browser:
    """The operator's administrator, the second factor just shown."""
    return Browser(app).sign_in_fully(house, house.person("operator.admin", tenant=OTHER, totp=True))


@pytest.fixture(scope="module")
def enterprise(app: Flask, house: House) -> Browser:
    """Who administers an enterprise that trades."""
    browser = Browser(app)
    browser.sign_in(house.person("it"))
    return browser


@pytest.fixture
def made_wheel() -> Callable[..., Wheel]:
    """`made_wheel("freight", "1.1", files={"README.md": b"..."})`: files lie in the plugin's own folder."""

    def make(name: str, version: str = "1.0", *, files: Mapping[str, bytes] | None = None, **wrong: Any) -> Wheel:
        packed = zipfile.ZipFile(io.BytesIO(wheel(name, version, steps=[], **wrong)))
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry in packed.namelist():
                archive.writestr(entry, packed.read(entry))
            for path, content in (files or {}).items():
                archive.writestr(f"made_{name}/{path}", content)
        return file_name(name, version), out.getvalue()

    return make


@pytest.fixture
def upload(operator: Browser) -> Callable[..., Any]:
    """Hand a wheel in through the page."""

    def send(filename: str, content: bytes) -> Any:
        return operator.post("/plugins/upload", _from="/plugins/upload", wheel=(io.BytesIO(content), filename))

    return send


def png(width: int = 2, height: int = 2) -> bytes:
    """A picture that browsers show."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\x30\x60\x80" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture
def picture() -> bytes:
    return png()

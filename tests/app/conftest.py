"""The house, one for each module that wants it."""

from collections.abc import Iterator

import pytest

from tests.app.house import House, open_house
from tests.conftest import Server


@pytest.fixture(scope="module")
def house(server: Server, keys: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = open_house(server, tmp_path_factory.mktemp("house"))
    yield opened
    opened.close()

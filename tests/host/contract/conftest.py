"""The house of tests/app, and one with a plugin that implements every hook; one of each for a module."""

from collections.abc import Iterator

import pytest

from tests.app.conftest import house
from tests.conftest import Server
from tests.host.contract.stand import Stand, opened

__all__ = ["house", "stand"]


@pytest.fixture(scope="module")
def stand(server: Server, keys: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with opened(server, tmp_path_factory.mktemp("witness"), tmp_path_factory.mktemp("stand")) as made:
        yield made

"""Installations for tries, on the server of this run."""

import json
from collections.abc import Iterator

import pytest

from core.authoring import scratch
from core.authoring.trial import Trial
from tests.databases import Server


@pytest.fixture(scope="module")
def trial(server: Server, keys: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """An installation with enterprises, in which plugins come and go."""
    data = tmp_path_factory.mktemp("trial")
    with scratch.installation(scratch.TryServer(server.admin, server.url_for), data) as config:
        keys_of_tries = {"secret_key": scratch.SECRET.hex(), "master_key": scratch.MASTER.hex()}
        (data / "keys").write_text(json.dumps(keys_of_tries), encoding="utf-8")
        found = Trial(config)
        yield found
        found.close()

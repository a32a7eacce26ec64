"""A database that was copied has lost the rights on itself; `doctor` says so, with what puts it right."""

from pathlib import Path

from core.cli.examination import examine_database
from core.db import roles
from tests.app.installation import config_of
from tests.conftest import Server


def test_a_copy_is_told_from_a_sound_database(server: Server, tmp_path: Path) -> None:
    name = server.clone()
    config = config_of(server, name, tmp_path)

    found = [each for each in examine_database(config) if "has lost its rights" in each.what]
    assert [each.state for each in found] == ["wrong"]
    assert name in found[0].what and "GRANT CREATE" in found[0].do

    server.run(*found[0].do.split("; "))
    assert roles.access_statements(name) == found[0].do.split("; ")
    assert not [each for each in examine_database(config) if "rights" in each.what or "Every role" in each.what]

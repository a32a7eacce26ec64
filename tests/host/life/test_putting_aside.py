"""Archive, restore, export, purge: nobody loses a row unasked, and nothing stays that should be gone."""

import io
import json
import zipfile

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from core import tenancy
from core.host.life import purging
from core.host.life.plan import Plan
from core.kernel import Actor, Conflict
from tests.host.life.conftest import Ground
from tests.host.life.wheels import MANIFEST, table

pytestmark = pytest.mark.slow
SUM = "SELECT md5(string_agg(n::text, ',' ORDER BY n::text)) FROM plugin_{0}.note n"


def test_a_plugin_in_use_is_not_archived(ground: Ground) -> None:
    assert ground.put("used").state == "done"
    with ground.unit.acting(ground.ids["lianhang"], Actor.system("test"), {}, everything=True) as ctx:
        tenancy.enable_plugin(ctx, "used", version="1.0")

    outcome = ground.do("archive", "used")

    assert (outcome.state, outcome.code) == ("failed", "plugin.still_enabled")
    assert ground.plugin("used")["state"] == "installed"


def test_what_was_put_aside_comes_back_equal_or_goes_for_good(ground: Ground) -> None:
    assert ground.put("aside").state == "done"
    ground.write("lianhang", "aside", "one", "two")
    ground.write("hengke", "aside", "three")
    rows = _as_owner(ground, SUM.format("aside"))
    assert rows is not None

    assert ground.do("archive", "aside").state == "done"
    assert ground.notes("lianhang", "aside") == ["one", "two"]
    with pytest.raises(ProgrammingError, match="permission denied"):
        ground.write("lianhang", "aside", "four")

    assert ground.do("restore", "aside").state == "done"
    assert _as_owner(ground, SUM.format("aside")) == rows
    ground.write("lianhang", "aside", "four")

    assert ground.do("archive", "aside").state == "done"
    _as_owner(ground, "UPDATE plugin_aside.note SET said = 'forged' WHERE said = 'four' RETURNING 1")
    outcome = ground.do("restore", "aside")
    assert (outcome.state, outcome.code) == ("failed", "plugin.archive_changed")
    assert ground.plugin("aside")["state"] == "archived"

    with pytest.raises(Conflict) as refused:
        ground.plan("purge", "aside")
    assert refused.value.code == "plugin.export_first"
    assert ground.carry_out(Plan("purge", "aside", {}, None, "1.0")).code == "plugin.export_first"

    assert ground.do("export", "aside").state == "done"
    pieces = ground.rows("SELECT content FROM ts.plugin_export WHERE plugin = 'aside' ORDER BY no")
    with zipfile.ZipFile(io.BytesIO(b"".join(bytes(piece) for (piece,) in pieces))) as archive:
        lines = archive.read("note.csv").decode().splitlines()
        about = json.loads(archive.read("about.json"))
    assert sorted(line.rpartition(",")[2] for line in lines[1:]) == ["forged", "one", "three", "two"]
    assert about["tables"]["note"]["rows"] == 4

    assert ground.do("purge", "aside").state == "done"
    with ground.owner.begin() as connection:
        assert purging.leftovers(connection, "aside") == []


def test_functions_of_the_owner_are_put_aside_with_the_tables(ground: Ground) -> None:
    """A definer function writes as the owner, whom no taken right stops; so nobody may call it meanwhile."""
    note = """CREATE FUNCTION plugin_clerk.keep(_said text) RETURNS void LANGUAGE sql SECURITY DEFINER
      SET search_path = pg_catalog, pg_temp
      AS 'INSERT INTO plugin_clerk.note VALUES (ts.tenant(), gen_random_uuid(), _said)'"""
    manifest = MANIFEST.format(name="clerk", core=">=0.1,<0.2", version="1.0", requires=[]) + 'definers = ["keep"]\n'
    lines = [*table("clerk"), note]
    assert ground.put("clerk", steps=[lines], files={"made_clerk/plugin.toml": manifest}).state == "done"

    def keep(said: str) -> None:
        with ground.unit.system(ground.ids["lianhang"], "test") as ctx:
            ctx.session.execute(text("SELECT plugin_clerk.keep(:said)"), {"said": said})

    keep("one")
    assert ground.do("archive", "clerk").state == "done"
    with pytest.raises(ProgrammingError, match="permission denied"):
        keep("two")
    assert ground.notes("lianhang", "clerk") == ["one"]
    assert ground.do("restore", "clerk").state == "done"
    keep("three")
    assert ground.notes("lianhang", "clerk") == ["one", "three"]


def _as_owner(ground: Ground, statement: str) -> object:
    with ground.owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE ts_plugin_owner"))
        return connection.execute(text(statement)).scalar()

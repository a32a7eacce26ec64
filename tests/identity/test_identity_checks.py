"""The invariants of identity and tenancy hold after use, and notice what is bent by force; the sweep forgets."""

from types import SimpleNamespace

from sqlalchemy import text

from core.db import Database
from core.identity.duties import DUTIES
from core.identity.invariants import CHECKS as IDENTITY
from core.tenancy import save_address
from core.tenancy.invariants import CHECKS as TENANCY
from tests.conftest import TENANT, Server
from tests.identity.conftest import House

HERE = {"label": "a", "contact": "b", "phone": "1", "province": "c", "city": "d", "street": "e"}


def broken(house: House) -> set[str]:
    with house.owner.begin() as connection:
        return {ident for ident, _, query in [*IDENTITY, *TENANCY] if connection.exec_driver_sql(query.replace("%", "%%")).all()}


def test_checks_hold_and_bite(house: House) -> None:
    house.sign_in(house.person("it"))
    with house.unit.system(TENANT, "test") as ctx:
        save_address(ctx, **HERE)
        save_address(ctx, **HERE, is_default=True)
    assert broken(house) == set()
    for bend in (
        "UPDATE ts.enterprise SET name = 'x' RETURNING 1",
        "UPDATE ts.address SET is_default = true RETURNING 1",
        "UPDATE auth.membership SET roles = '{operator.risk}' RETURNING 1",
        "UPDATE auth.membership SET status = 'removed' WHERE person_id IN (SELECT person_id FROM auth.session) RETURNING 1",
    ):
        house.scalar(bend)
    assert broken(house) == {"TE.card", "TE.address", "ID.admin", "ID.operator", "ID.removed"}


def test_the_worker_forgets_old_attempts_and_sessions(house: House, server: Server) -> None:
    name = house.db.engine.url.database
    assert name is not None
    house.scalar("UPDATE auth.session SET created_at = created_at - interval '31 days' RETURNING 1")
    worker = Database(server.url_for("ts_worker", name))
    assert [duty(SimpleNamespace(database=worker)) for duty in DUTIES] == [0]
    worker.dispose()
    with house.owner.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM auth.session")).scalar() == 0

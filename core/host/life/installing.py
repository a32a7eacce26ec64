"""Install, upgrade and roll back: the code comes in, its tables follow, its health is asked, then everything commits."""

from collections.abc import Iterable

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapper

from core import identity, rooms
from core.db import Model
from core.hooks import Health
from core.host import tables
from core.host.life.work import Work
from core.host.loading import Host, Loaded
from core.host.settings import saving
from core.host.settings.history import Holder
from core.host.standing import Installed
from core.host.trust.publishers import refuse_revoked
from core.kernel import Refused


def install(work: Work) -> None:
    """Bring a plugin, or another version of it, into the installation. Any failure leaves everything as it was."""
    refuse_revoked(work.session, work.plugin, work.packages)
    plugin = Installed(work.plugin, "installed", work.version or "", work.packages)
    with work.step("import"):
        host = work.bring_in(work.before.with_(plugin), fresh=work.plugin)
    loaded = host.loaded[work.plugin]
    with work.step("migrate"):
        taken = _migrate(work, loaded)
    work.tell("migrate", "done", steps=len(taken))
    with work.step("settings"):
        _settings_fit(work, loaded)
    with work.step("health"):
        _tables_fit(work, loaded)
        _healthy(loaded)
    with work.step("permissions"):
        grant(work, host)
    work.write_down(plugin, loaded, tables.head(loaded.manifest))
    work.next_epoch()


def roll_back(work: Work) -> None:
    """Return to the version before. Its tables stay as they are: migrations only expand, so the older code can use them."""
    known = work.run("SELECT * FROM ts.plugin WHERE name = :name FOR UPDATE", name=work.plugin).one_or_none()
    if known is None or known.previous_version is None:
        raise Refused("plugin.nothing_to_roll_back", plugin=work.plugin)
    plugin = Installed(work.plugin, "installed", known.previous_version, tuple(known.previous_packages or ()))
    with work.step("import"):
        host = work.bring_in(work.before.with_(plugin), fresh=work.plugin)
    loaded = host.loaded[work.plugin]
    with work.step("health"):
        _tables_fit(work, loaded)
        _healthy(loaded)
    with work.step("permissions"):
        grant(work, host)
    work.facts["from_version"] = known.version
    work.write_down(plugin, loaded, known.revision)
    work.next_epoch()


def take_back(work: Work) -> None:
    """Undo a change that committed and then did not start everywhere: the version before, or nothing where there was none."""
    known = work.run("SELECT * FROM ts.plugin WHERE name = :name FOR UPDATE", name=work.plugin).one()
    if known.previous_version is not None:
        roll_back(work)
        return
    work.run("DELETE FROM ts.plugin WHERE name = :name", name=work.plugin)
    host = work.bring_in(work.before.without(work.plugin))
    grant(work, host)
    work.run(
        f"DROP SCHEMA IF EXISTS plugin_{work.plugin} CASCADE"
    )  # made by this very change, nobody has used it
    work.next_epoch()


def grant(work: Work, host: Host) -> None:
    """Write down the permissions of the set as it is now."""
    try:
        identity.sync_roles(
            work.session.connection(),
            [*rooms.collected("permissions", "PERMISSIONS"), *host.all("permissions")],
        )
    except ValueError as wrong:
        raise Refused("plugin.permissions_clash", plugin=work.plugin, reason=str(wrong)) from None


def _migrate(work: Work, loaded: Loaded) -> list[str]:
    manifest, connection = loaded.manifest, work.session.connection()
    try:
        taken = tables.migrate(connection, manifest)
    except Refused:
        raise
    except (
        Exception
    ) as fault:  # an author's migration may raise anything; the transaction is given up with it
        raise Refused("plugin.migration_failed", plugin=work.plugin, reason=_reason(fault)) from fault
    if outside := tables.strangers(connection, manifest.schema):
        raise Refused("plugin.migration_outside", plugin=work.plugin, tables=", ".join(outside))
    if wrong := tables.complaints(connection, manifest.schema, manifest.definers):
        raise Refused("plugin.tables_open", plugin=work.plugin, reason="; ".join(wrong))
    work.facts["migrations"] = taken
    return taken


def _settings_fit(work: Work, loaded: Loaded) -> None:
    """What every enterprise's plugin would read, and the platform's defaults, must pass the new version's schema."""
    if loaded.settings_schema is None:
        return
    defaults = work.run(
        "SELECT settings FROM ts.plugin_default WHERE plugin = :name ORDER BY no DESC LIMIT 1", name=work.plugin
    ).scalar()
    rows = work.run(
        "SELECT e.tenant_id, e.settings, c.name FROM ts.plugin_enablement e"
        " JOIN ts.enterprise_card c ON c.tenant_id = e.tenant_id"
        " WHERE e.plugin = :name AND e.state IN ('enabled', 'draining')",
        name=work.plugin,
    ).all()
    judged = [(None, "—", defaults or {}), *((row.tenant_id, row.name, row.settings) for row in rows)]
    for tenant, enterprise, own in judged:
        wrong = saving.judged(loaded, Holder(work.plugin, tenant), defaults or {}, own)
        if wrong:
            raise Refused(
                "plugin.settings_no_longer_fit",
                plugin=work.plugin,
                enterprise=enterprise,
                reason="; ".join(f"{each.path.removeprefix(saving.PREFIX)}: {each.code}" for each in wrong),
            )


def _tables_fit(work: Work, loaded: Loaded) -> None:
    """Read every mapped table once in the role of plugins: columns, grants and policies must be there."""
    connection = work.session.connection()
    connection.exec_driver_sql("SET LOCAL ROLE ts_plugin")
    try:
        for mapper in _mapped(loaded.manifest.schema):
            try:
                connection.execute(select(mapper.local_table).limit(1))
            except DBAPIError as fault:
                raise Refused(
                    "plugin.tables_do_not_fit",
                    plugin=work.plugin,
                    table=str(mapper.local_table),
                    reason=_reason(fault),
                ) from fault
    finally:
        _reset(connection)


def _healthy(loaded: Loaded) -> None:
    ask = getattr(loaded.module, "check_health", None)
    if ask is None:
        return
    try:
        health = ask()
    except Exception as fault:
        raise Refused("plugin.unhealthy", plugin=loaded.manifest.name, reason=_reason(fault)) from fault
    if isinstance(health, Health) and not health.ok:
        raise Refused("plugin.unhealthy", plugin=loaded.manifest.name, reason=health.detail or "—")


def _mapped(schema: str) -> Iterable[Mapper[Model]]:
    return [
        mapper for mapper in Model.registry.mappers if getattr(mapper.local_table, "schema", None) == schema
    ]


def _reset(connection: Connection) -> None:
    """Back to the migrator, unless the transaction is given up: then the role goes with it."""
    driver = None if connection.invalidated else connection.connection.driver_connection
    if driver is not None and driver.info.transaction_status.name != "INERROR":
        connection.exec_driver_sql("RESET ROLE")


def _reason(fault: BaseException) -> str:
    if isinstance(fault, DBAPIError) and fault.orig is not None:
        return str(fault.orig).strip().splitlines()[0][:300]
    return f"{type(fault).__name__}: {fault}"[:300]

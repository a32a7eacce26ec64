"""The database of an installation while a command runs: the embedded server, or the one outside."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import core
from core.config import Config, UserError


@contextmanager
def running_database(config: Config) -> Iterator[None]:
    """Start or join the embedded server for the time of the block; nothing to do for an outside one."""
    if not config.embedded:
        yield
        return
    from core.db.embedded import EmbeddedPostgres

    server = EmbeddedPostgres(config.data)
    server.start()
    try:
        yield
    finally:
        server.stop()


def refusal(error: BaseException) -> str:
    """What the server said, without the driver's account of how it got there."""
    said = (str(error).strip().splitlines() or [type(error).__name__])[-1]
    return said.rpartition("FATAL:")[2].strip()


def require_tables(config: Config, role: str = "app") -> None:
    """Refuse a database nobody has prepared, tables of another release, and a role that sees every tenant's rows."""
    import psycopg

    from core.db.roles import require_bound

    try:
        with psycopg.connect(config.url(role).replace("+psycopg", "", 1), connect_timeout=10) as connection:
            require_bound(connection)
            row = connection.execute(
                "SELECT EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace('ts') AND relkind = 'r')"
            ).fetchone()
    except psycopg.OperationalError as error:
        said = refusal(error)
        where = str(config.data) if config.embedded else "DATABASE_URL"
        if "does not exist" in said:
            raise UserError(
                f"The database is not prepared yet: {said}.", where, "Run `run.py init` first."
            ) from error
        do = "Check the address, role and password; then `run.py doctor`."
        raise UserError(f"The database refused: {said}", where, do) from error
    if row is None or not row[0]:
        raise UserError("The database has no tables yet.", str(config.data), "Run `run.py init` first.")
    _require_release(config)


def _require_release(config: Config) -> None:
    """Refuse tables of another release; without an address for migrations nobody here could tell."""
    import psycopg

    if config.migrate_url is None:
        return
    with psycopg.connect(config.migrate_url.replace("+psycopg", "", 1), connect_timeout=10) as connection:
        row = connection.execute("SELECT version_num FROM ts.version").fetchone()
    ours = known_steps()
    found = str(row[0]) if row else "none"
    if found == ours[-1]:
        return
    if found in ours or row is None:
        raise UserError(
            f"The tables are of an older release (step {found}, this one needs {ours[-1]}).",
            str(config.data),
            "Make a backup, then run `run.py migrate`.",
        )
    raise UserError(
        f"The tables are of another release: their step {found} is unknown here.",
        str(config.data),
        "Start the release that made them, or choose another folder with --data.",
    )


def known_steps() -> list[str]:
    """The core's migrations, oldest first, as their files are named. Read, not imported: it must be quick."""
    folder = Path(core.__file__).parent.parent / "migrations" / "versions"
    texts = [file.read_text("utf-8") for file in sorted(folder.glob("m*.py"))]
    return [found[1] for text in texts if (found := re.search(r'^revision = "(.+)"', text, re.MULTILINE))]

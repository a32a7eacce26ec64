"""Carries one change out in a process of its own: `python -m core.host.life.carry_out`, the job as JSON on standard input.

Strangers' code, strangers' migrations and all of our own rows lie in one transaction here. When this process fails, hangs
or is killed, PostgreSQL undoes it all. It tells its steps as lines of JSON; its last line says how it ended.
"""

import contextlib
import json
import logging
import os
import sys
import traceback
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from core import audit, outbox, rooms, tenancy
from core.db import Database, Unit, history, keyring
from core.db.session import set_tenant
from core.hooks import Dispatch
from core.host.life import archiving, installing, purging
from core.host.life.work import opened, say
from core.kernel import Ports, Refused

ACTS = {
    "install": installing.install,
    "upgrade": installing.install,
    "rollback": installing.roll_back,
    "take_back": installing.take_back,
    "archive": archiving.archive,
    "restore": archiving.restore,
    "export": purging.export,
    "purge": purging.purge,
}


def main() -> int:
    job = json.load(sys.stdin)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    with contextlib.redirect_stdout(sys.stderr):  # what a plugin prints is not ours to tell
        try:
            facts = carry_out(job)
        except Refused as refused:
            say(
                "end",
                "refused",
                code=refused.code,
                values={key: str(value) for key, value in refused.values.items()},
            )
            return 3
        except (
            BaseException
        ) as fault:  # SystemExit of a stranger's module too: the transaction is gone, say why
            traceback.print_exc()
            say(
                "end",
                "refused",
                code="plugin.change_crashed",
                values={"reason": f"{type(fault).__name__}: {fault}"[:300]},
            )
            return 4
    say("end", "done", **facts)
    sys.stdout.flush()
    os._exit(0)  # a plugin's threads do not keep a finished change waiting


def carry_out(job: dict[str, str]) -> dict[str, object]:
    """Do what the change says, in one transaction. Answers facts such as the new epoch."""
    keyring.load({1: bytes.fromhex(job["key"])})
    rooms.load_models()
    database = Database(job["url"], pool_size=2, statement_timeout="300s")
    ports = Ports(
        audit.record, outbox.publish, tenancy.enabled_plugins, tenancy.settings_reader, Dispatch(), set_tenant
    )
    unit = Unit(database, ports, before_commit=(audit.write, outbox.write))
    with database.engine.connect() as alone:
        alone.execute(text("SELECT pg_advisory_lock(:key)"), {"key": history.LOCK})  # one migrator at a time
        alone.commit()
        with opened(unit, Path(job["data"]), UUID(job["change"]), say) as work:
            ACTS[job.get("act") or work.verb](work)
            facts = dict(work.facts)
    database.dispose()
    return facts


if __name__ == "__main__":
    sys.exit(main())

"""What time does to orders: offers run out, silence accepts, old orders close. The worker asks every second."""

from sqlalchemy import text

from core.db import Unit
from core.kernel import Refused
from core.orders.deciding import expire
from core.orders.progress import accept_silently, close

BATCH = 100
_VERBS = {"expire": expire, "accept": accept_silently, "close": close}


def run_timers(unit: Unit) -> int:
    """Take every due step, each order in a transaction of its own. How many were taken."""
    with unit.database.session() as session:
        due = session.execute(text("SELECT kind, order_id, tenant_id FROM ts.orders_due(:batch)"), {"batch": BATCH}).all()
        session.commit()
    done = 0
    for kind, order_id, tenant_id in due:
        try:
            with unit.system(tenant_id, "timer") as ctx:
                done += _VERBS[kind](ctx, order_id) is not None
        except Refused:
            continue  # somebody acted first; the next round sees how it stands
    return done

"""The worker as it runs: an event becomes a document, the document goes out, the page says where it stands."""

from pathlib import Path

import pytest

from core.orders.events import OrderConfirmed
from core.sync import OutboundRule, allow, rules_of
from core.worker import Worker
from tests.app.installation import config_of


def test_a_confirmed_order_reaches_the_erp_through_the_worker(house, fresh_db, server, tmp_path):
    order_id = house.order("SO-1")
    house.sql("DELETE FROM ts.sync_document")
    allow(tmp_path, f"127.0.0.1:{house.kingdee.port}")
    with house.app.system(house.seller, "test") as ctx:
        ctx.publish(
            OrderConfirmed(
                order_id=order_id,
                buyer_id=house.buyer,
                seller_id=house.seller,
                number="SO-1",
                mode="spot",
                order_version=3,
                total=ctx.session.connection()
                .exec_driver_sql("SELECT total FROM ts.trade_order")
                .scalar_one(),
                currency="CNY",
                at=ctx.now,
            )
        )
    worker = Worker(config_of(server, fresh_db.name, tmp_path))
    try:
        for _ in range(20):
            worker.drain()
            if house.states() == {"SO-1": "done"}:
                break
        assert house.bills()["SO-1"][0]["head"]["FDocumentStatus"] == "C"
        checked = house.sql("SELECT checked ->> 'ok' FROM ts.erp_connection")
        assert checked == [("true",)]
    finally:
        worker.unit.database.dispose()


def test_the_operators_file_and_variable_are_read_together(tmp_path: Path):
    allow(tmp_path, "127.0.0.1:8100")
    allow(tmp_path, "127.0.0.1/32:8100")
    text = (tmp_path / "outbound.conf").read_text(encoding="utf-8")
    assert text.count("127.0.0.1") == 2  # the example in the heading, and the rule once
    found = rules_of(tmp_path, {"TS_OUTBOUND": "10.1.0.0/16:443 [fd00::/8]:443"})
    assert [str(rule) for rule in found] == ["10.1.0.0/16:443", "[fd00::/8]:443", "127.0.0.1/32:8100"]
    assert all(isinstance(rule, OutboundRule) for rule in found)


def test_a_rule_the_operator_mistyped_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match="erp.local"):
        allow(tmp_path, "erp.local:80")
    (tmp_path / "outbound.conf").write_text("10.0.0.1\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"10\.0\.0\.1"):
        rules_of(tmp_path, {})

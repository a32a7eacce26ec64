"""A buyer and a seller with books in one K/3 Cloud: links, documents of ours, and one document pushed as the engine does it."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
import requests

from connectors.kingdee.simulator import DEMO_ACCOUNT, Simulator
from connectors.kingdee.system import Kingdee, KingdeeLink
from tongshang.connect import (
    Access,
    Filing,
    Found,
    GoodsOut,
    InvoicePart,
    LineOut,
    MoneyOut,
    OrderOut,
    OutboundRule,
    Rejected,
    RetryLater,
    Uncertain,
    differences,
    session,
)

D = Decimal
SELLER_CODE, BUYER_CODE = "91310000MA1FL4XY7W", "91320200MA1N2PQR3X"
SKUS = UUID(int=7)
BEARINGS = (1, "BRG-6204", "pcs", "120", "4380.00")
REBAR = (2, "RB-HRB400E-16", "t", "2", "7936.00")
LinkOf = Callable[..., KingdeeLink]


@pytest.fixture
def link_of(kingdee: Simulator) -> Iterator[LinkOf]:
    """Links to the simulator, which knows the seller as a supplier; settings by keyword."""
    kingdee.world.merge({"suppliers": [{"number": "VEN01", "name": "华东联钢", "tax_code": SELLER_CODE}]})
    opened = []

    def make(**settings: str) -> KingdeeLink:
        http = session([OutboundRule.parse(f"127.0.0.1:{kingdee.port}")])
        opened.append(http)
        values = {"way": "signed", "acct_id": DEMO_ACCOUNT.acct_id, "username": "demo", "saler": "XS01"}
        values |= {"app_id": DEMO_ACCOUNT.app_id, "warehouse": "CK001", "bank_account": "6222001"} | settings
        access = Access(kingdee.url, "100", values, {"app_secret": DEMO_ACCOUNT.app_secret})
        return Kingdee().open(access, http)

    yield make
    for http in opened:
        http.close()


def nobody(*_: Any) -> None:
    """A look-up that knows nothing."""
    return None


def line(no: int, code: str, unit: str, quantity: str, gross: str, order: str = "", of: int = 0) -> LineOut:
    rate = D("0.13")
    return LineOut(
        no,
        uuid5(SKUS, code),
        code,
        code,
        unit,
        D(quantity),
        rate,
        D(gross),
        order,
        of or (no if order else 0),
    )


def bought(number: str, *lines: tuple[Any, ...], code: str = SELLER_CODE) -> OrderOut:
    """A purchase order of ours."""
    made = tuple(line(*each) for each in lines)
    return OrderOut(
        kind="purchase_order",
        object_id=uuid4(),
        reference=number,
        version=1,
        partner_id=uuid4(),
        partner_name="华东联钢",
        partner_code=code,
        buyer_po="PO-7",
        currency="CNY",
        total=sum((each.gross for each in made), D(0)),
        ordered_on=date(2026, 11, 22),
        delivery_on=date(2026, 12, 5),
        ship_to="",
        note="",
        lines=made,
    )


def counted(number: str, *lines: tuple[Any, ...]) -> GoodsOut:
    """A receipt of ours; the last two parts of a line are its order and the line there."""
    made = tuple(line(*each) for each in lines)
    return GoodsOut(
        kind="receipt",
        object_id=uuid4(),
        reference=number,
        version=1,
        partner_id=uuid4(),
        partner_name="华东联钢",
        partner_code=SELLER_CODE,
        order_reference=made[0].order_reference,
        currency="CNY",
        total=sum((each.gross for each in made), D(0)),
        moved_on=date(2026, 11, 23),
        carrier="",
        waybill="",
        note="",
        lines=made,
    )


def money(
    number: str, direction: Any, total: str, *invoices: tuple[str, str], order: str = "", code: str = ""
) -> MoneyOut:
    """A payment of ours."""
    return MoneyOut(
        direction=direction,
        object_id=uuid4(),
        reference=number,
        version=1,
        partner_id=uuid4(),
        partner_name="锡安达机电" if direction == "in" else "华东联钢",
        partner_code=code or (BUYER_CODE if direction == "in" else SELLER_CODE),
        order_reference=order,
        currency="CNY",
        total=D(total),
        paid_on=date(2026, 11, 23),
        bank_ref="BANK-7",
        note="",
        invoices=tuple(InvoicePart(invoice, D(amount)) for invoice, amount in invoices),
    )


def file(link: KingdeeLink, document: Any) -> Found:
    """File a document that nobody filed before."""
    filing = link.filing(document.kind)
    return filing.send(filing.bill(document, nobody), None)


def pushed(filing: Filing, document: Any, tries: int = 30) -> Found:
    """Push one document through trouble as the engine does: looked for before it is sent again, and never sent blindly."""
    looks = False
    for _ in range(tries):
        try:
            found = filing.find(document.reference) if looks else None
            looks = True
            bill = filing.bill(document, nobody)
            if not (found and found.finished and not differences(bill, found)):
                found = filing.send(bill, found)
            assert differences(bill, found) == []
            return found
        except (Uncertain, RetryLater):
            continue
        except Rejected as refused:
            # A document that is there in a state we did not know: the next look tells.
            assert "当前数据状态" in refused.message
    raise AssertionError(f"{document.reference} did not get through")


def records(link: KingdeeLink, key: str) -> list[Any]:
    stream = link.stream(key)
    return [stream.to_core(row) for page in stream.pull(None, None) for row in page.rows]


def act(kingdee: Simulator, what: str, **given: Any) -> dict[str, Any]:
    answer = requests.post(f"{kingdee.admin}/{what}", json=given, timeout=5)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def asked(kingdee: Simulator, service: str) -> int:
    """How often a service was called and got through, for whatever form."""
    return sum(times for name, times in kingdee.calls.items() if name.split()[0] == service)


TROUBLE = ("drop_before", "drop_after", "html_200", "cut_body", "status_500_after", "lock_conflict")


def trouble(probability: float) -> list[dict[str, Any]]:
    """Writes that go wrong in every way a wire knows, now and then."""
    return [
        {"match": service, "mode": mode, "probability": probability}
        for service in ("Save", "Submit", "Audit")
        for mode in TROUBLE
    ]

"""Who may call the simulator, how a call proves who it is, and the settings of a connection that fit."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

from tongshang.simulate import Call

SKEW = 300  # seconds


@dataclass(frozen=True)
class Account:
    """One login of every kind; `way` is the one the server wants."""

    way: str = "bearer"
    user: str = "tongshang"
    password: str = "lian-xi-1024"
    token: str = "xct-4f2a9c7d1b"
    sign_secret: str = "qian-ming-7788"
    hook_secret: str = "hui-diao-5566"

    def admits(self, call: Call) -> bool:
        """Whether the call proves that it comes from our user."""
        return bool(getattr(self, f"_{self.way}")(call))

    def _none(self, call: Call) -> bool:
        return True

    def _basic(self, call: Call) -> bool:
        pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return call.headers.get("authorization") == f"Basic {pair}"

    def _bearer(self, call: Call) -> bool:
        return call.headers.get("authorization") == f"Bearer {self.token}"

    def _api_key(self, call: Call) -> bool:
        return call.headers.get("x-api-key") == self.token

    def _hmac(self, call: Call) -> bool:
        stamp = call.headers.get("x-timestamp", "")
        if not stamp.isdigit() or abs(call.at - int(stamp)) > SKEW:
            return False
        asked = call.headers.get("x-asked", "")  # path and query as they came; see Simulator.answer
        whole = b"\n".join((stamp.encode(), call.method.encode(), asked.encode(), call.body))
        right = hmac.new(self.sign_secret.encode(), whole, hashlib.sha256).hexdigest()
        return call.headers.get("x-api-key") == self.user and call.headers.get("x-signature") == right


DEMO = Account()
PATHS = {
    "purchase_order": "purchases",
    "inbound_order": "arrivals",
    "receipt": "goods-in",
    "payment": "payments",
}


def settings_for(account: Account = DEMO, paging: str = "page") -> dict[str, str]:
    """What a person would type to wire this ERP."""
    secrets = {
        "none": {},
        "basic": {"username": account.user, "password": account.password},
        "bearer": {"token": account.token},
        "api_key": {"token": account.token},
        "hmac": {"username": account.user, "sign_secret": account.sign_secret},
    }
    return {
        "way": account.way,
        **secrets[account.way],
        "find_path": "/orders?ref={reference}",
        "create_path": "/orders",
        "change_path": "/orders/{id}",
        "cancel_path": "/orders/{id}/void",
        "day_path": "/orders?date={day}",
        "answer": "list=data.orders, id=docId, number=docNo, status=state, reference=ref, partner=customer.code,"
        "currency=money.currency, total=money.total, lines=rows, line.material=item, line.unit=uom,"
        "line.quantity=qty, line.price=price, line.amount=sum",
        **{
            f"out_{kind}": f"find=/{path}?ref={{reference}}, create=/{path}, change=/{path}/{{id}},"
            f"cancel=/{path}/{{id}}/void, day=/{path}?date={{day}}, list=data.found"
            for kind, path in PATHS.items()
        },
        "done_statuses": "approved",
        "cancelled_statuses": "void",
        "ok_field": "code",
        "ok_values": "0",
        "busy_values": "1001",
        "exists_values": "2002",
        "units": "pcs=PCE, t=TNE",
        "currencies": "CNY=RMB",
        "paging": paging,
        "page_name": {"page": "page", "offset": "offset", "cursor": "mark"}.get(paging, ""),
        "size_name": "size",
        "page_size": "50",
        "next_path": "data.next" if paging == "next" else "data.mark",
        "read_products": "path=/items, list=data.list, count=data.total, since=since, id=itemId, code=no, name=title, unit=uom,"
        "specification=spec, active=onSale, changed=updated",
        "read_partners": "path=/customers, list=data.list, id=id, number=no, name=title, code=taxNo",
        "read_prices": "path=/prices, list=data.list, material=item, unit=uom, currency=money, price=price",
        "read_stock": "path=/stock, list=data.list, material=item, warehouse=house, unit=uom, quantity=qty",
        "read_deliveries": "path=/shipments, list=data.list, id=docId, number=docNo, reference=ref, day=date,"
        "lines=rows, line.line=no, line.material=item, line.quantity=qty, line.unit=uom, carrier=by, tracking=waybill",
        "read_receipts": "path=/goods-in, list=data.list, id=docId, number=docNo, reference=ref, day=date,"
        "lines=rows, line.line=no, line.material=item, line.quantity=qty, line.unit=uom",
        "read_invoices": "path=/invoices, list=data.list, id=docId, number=docNo, reference=ref, day=date,"
        "currency=money, total=sum",
        "read_payments": "path=/payments, list=data.list, id=docId, number=docNo, reference=ref, day=date,"
        "currency=money, amount=sum",
        "hook_secret": account.hook_secret,
        "hook_kind": "event",
        "hook_list": "items",
        "hook_kinds": "products=item.changed, stock=stock.changed, deliveries=shipment.sent",
    }

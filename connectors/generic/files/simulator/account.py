"""Who may come to the simulator, its host key, and the settings of a connection that fit."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Any

FOLDERS = ("out", "answers", "in", "taken")


@dataclass(frozen=True)
class Account:
    """One login, by password or by key; the host key is made from `seed` and so the same on every start."""

    user: str = "tongshang"
    password: str = "wen-jian-2048"
    seed: str = "practice host key"


DEMO = Account()


def key_from(seed: str) -> Any:
    """An Ed25519 key that everybody knows: for practice alone."""
    import paramiko

    return paramiko.Ed25519Key(file_obj=io.StringIO(key_text(seed)))


def key_text(seed: str) -> str:
    """The private half in OpenSSH's form."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    made = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())
    form = serialization.PrivateFormat.OpenSSH
    return made.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def fingerprint_of(account: Account = DEMO) -> str:
    from connectors.generic.files.sftp import fingerprint

    return fingerprint(key_from(account.seed))


def settings_for(account: Account = DEMO) -> dict[str, str]:
    """What a person would type to wire this ERP over SFTP."""
    return {
        "place": "sftp",
        "root": "/",
        "username": account.user,
        "password": account.password,
        "fingerprint": fingerprint_of(account),
        "units": "pcs=PCE, t=TNE",
        "currencies": "CNY=RMB",
        "columns": "reference=OrderNo, quantity=Qty",
        "answer": "number=DocNo, status=State, error=Reason, reference=OrderNo, total=Total",
        "wait": "2",
        "quiet": "0",
        "read_products": "files=items_*.csv, code=ItemNo, name=品名, unit=Unit, specification=规格",
        "read_stock": "files=stock_*.xlsx, take=newest, material=ItemNo, warehouse=仓库, unit=Unit, quantity=数量",
        "read_deliveries": "files=ship_*.csv, number=DocNo, reference=OrderNo, day=Date, line.line=Line,"
        "line.material=ItemNo, line.quantity=Qty, line.unit=Unit, carrier=Carrier, tracking=Waybill",
        "read_invoices": "files=inv_*.xml, record=Invoice, number=@no, reference=Head.OrderNo, day=Head.Date,"
        "currency=Head.Currency, total=Head.Total",
        "read_payments": "files=pay_*.jsonl",
    }

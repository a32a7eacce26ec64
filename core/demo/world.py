"""Fills an empty installation with the demo's world, once; and writes down for the simulator what the ERP knows."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pyotp
from sqlalchemy import text

from core.app import Installation
from core.config import Config
from core.db import Database
from core.demo.enterprises import Enterprise, Person, enterprises, operator
from core.demo.goods import catalogue
from core.demo.load import PASSWORD, SECOND_FACTOR, administers, load_enterprises, load_goods
from core.demo.past import load_past

SELLER, BUYER = "lianhang", "hengke"
KINGDEE_UNITS = {"pcs": "Pcs", "t": "t", "kg": "kg", "m": "m", "kpcs": "1000pcs", "set": "set"}
PAST_ORDERS = 36


def seed(config: Config, tell: Callable[..., None]) -> None:
    """Enterprises, goods, stock and past orders, unless they are there. Everything goes through the verbs."""
    note = folder(config) / "world.json"
    house = Installation(config, Database(config.url("app"), pool_size=3))
    try:
        if note.exists() and _known(house, json.loads(note.read_text("utf-8"))["ids"]):
            tell("The demo's world is there from the last time")
            return
        ids = load_enterprises(house.unit, second_factor=True)
        tell(
            "Four enterprises and the operator registered",
            people=sum(len(each.people) for each in enterprises()),
        )
        count = load_goods(house.unit, ids)
        tell("Goods with prices, listings and stock loaded", articles=count)
        _write_erp_world(config)
        note.write_text(json.dumps({"ids": {key: str(value) for key, value in ids.items()}}), "utf-8")
        past = load_past(house.unit, ids, PAST_ORDERS)
        tell("Past orders replayed through the same verbs", **past)
    finally:
        house.database.dispose()


def folder(config: Config) -> Path:
    found = config.data / "demo"
    found.mkdir(parents=True, exist_ok=True)
    return found


def ids_of(config: Config) -> dict[str, UUID]:
    said = json.loads((folder(config) / "world.json").read_text("utf-8"))["ids"]
    return {key: UUID(value) for key, value in said.items()}


def logins(config: Config) -> list[dict[str, str]]:
    """Who may sign in to look around, one per part in the trade. Those who administer show a code as well."""
    people = {each.key: each for each in enterprises()}
    chosen = [
        ("buyer", people[BUYER].person("buyer.clerk")),
        ("approver", people[BUYER].person("buyer.approver")),
        ("seller", people[SELLER].person("seller.sales")),
        ("warehouse", people[SELLER].person("seller.warehouse")),
        ("finance", people[SELLER].person("seller.finance")),
    ]
    chosen += [
        ("buyer's administrator", _administrator(people[BUYER])),
        ("seller's administrator", _administrator(people[SELLER])),
        ("operator", _administrator(operator())),
    ]
    return [
        {"role": role, "name": person.name_zh, "login": person.email, "password": PASSWORD}
        | ({"authenticator": SECOND_FACTOR} if administers(person) else {})
        for role, person in chosen
    ]


def current_code() -> str:
    """What the authenticators of the demo's administrators show now, by this machine's clock. A code counts once."""
    return pyotp.TOTP(SECOND_FACTOR).now()


def _administrator(enterprise: Enterprise) -> Person:
    return next(person for person in enterprise.people if administers(person))


def _known(house: Installation, ids: dict[str, str]) -> bool:
    tenant = UUID(ids[SELLER])
    with house.database.session(tenant) as session:
        found = session.scalar(
            text("SELECT count(*) FROM ts.enterprise_card WHERE tenant_id = :tenant"), {"tenant": tenant}
        )
        session.commit()
    return bool(found)


def _write_erp_world(config: Config) -> None:
    """The seller's ERP knows its own materials and customers, as it would before anybody wires it."""
    people = {each.key: each for each in enterprises()}
    goods = catalogue()
    own = [sku for name in people[SELLER].families for sku in goods.family(name)]
    world: dict[str, Any] = {
        "organisations": [{"number": "100", "name": people[SELLER].name_zh}],
        "customers": [
            {"number": f"CUST{number:04d}", "name": people[key].name_zh, "tax_code": people[key].uscc}
            for number, key in enumerate(("hengke", "zhuda"), start=1)
        ],
        "materials": [
            {
                "number": sku.code,
                "name": sku.name_zh,
                "unit": KINGDEE_UNITS.get(sku.base_uom, sku.base_uom),
                "specification": sku.spec,
            }
            for sku in own
        ],
        "stock": [
            {"material": sku.code, "warehouse": "CK001", "quantity": str(sku.on_hand)}
            for sku in own
            if sku.on_hand > 0
        ],
    }
    (folder(config) / "kingdee-world.json").write_text(json.dumps(world, ensure_ascii=False), "utf-8")

"""Who trades in the demo: four invented enterprises, the platform's operator, their people and their past.

Every name, number and account is made up. The social credit codes carry true check digits: the
organisation part by GB 11714, the whole by GB 32100. Mail goes to sub-domains of example.com, which
nobody can own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from random import Random
from typing import Literal

from stdnum.cn import uscc

from .goods import Catalogue, Sku

Outcome = Literal["completed", "in_progress", "cancelled", "rejected"]


@dataclass(frozen=True, slots=True)
class Place:
    """A postal address with the person who opens the gate there."""

    province: str
    city: str
    district: str
    street: str
    street_en: str
    contact: str
    phone: str


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A place where a seller's goods lie or a buyer's goods arrive."""

    code: str
    name_zh: str
    name_en: str
    place: Place


@dataclass(frozen=True, slots=True)
class InvoiceDetails:
    """What a special VAT invoice must say about its buyer; the account bears the enterprise's own name."""

    title: str
    tax_no: str
    registered_address: str
    phone: str
    bank: str
    bank_code: str  # twelve digits, names the branch
    account: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a login; `roles` are keys of the built-in roles."""

    name_zh: str
    name_en: str
    email: str
    roles: tuple[str, ...]
    approve_limit: Decimal | None = None  # yuan, for approvers


@dataclass(frozen=True, slots=True)
class Enterprise:
    """One tenant; `families` are the parts of the catalogue that it sells."""

    key: str
    kind: Literal["trader", "manufacturer", "operator"]
    uscc: str
    name_zh: str
    name_en: str
    short_zh: str
    address: Place
    invoice: InvoiceDetails
    people: tuple[Person, ...]
    warehouses: tuple[Warehouse, ...] = ()
    families: tuple[str, ...] = ()

    def person(self, role: str) -> Person:
        """The first person with this role; KeyError when there is none."""
        for person in self.people:
            if role in person.roles:
                return person
        raise KeyError(role)


def organisation_code(body: str) -> str:
    """Eight characters and their check character by GB 11714."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(weight * int(character, 36) for weight, character in zip(weights, body, strict=True))
    check = 11 - total % 11
    return body + {10: "X", 11: "0"}.get(check, str(check))


def credit_code(region: str, body: str) -> str:
    """A social credit code of an enterprise (91): six digits of region, eight characters of organisation."""
    stem = f"91{region}{organisation_code(body)}"
    return uscc.validate(stem + uscc.calc_check_digit(stem))


def enterprise(
    key: str,
    kind: Literal["trader", "manufacturer", "operator"],
    code: str,
    names: tuple[str, str, str],
    address: Place,
    bank: tuple[str, str, str],
    people: tuple[Person, ...],
    warehouses: tuple[Warehouse, ...] = (),
    families: tuple[str, ...] = (),
) -> Enterprise:
    """An enterprise from `names` (zh, en, short) and `bank` (name, code, account)."""
    town = "" if address.city == address.province else address.city
    where = f"{address.province}{town}{address.district}{address.street}"
    details = InvoiceDetails(names[0], code, where, address.phone, *bank)
    return Enterprise(
        key, kind, code, names[0], names[1], names[2], address, details, people, warehouses, families
    )


def operator() -> Enterprise:
    """The enterprise that runs the platform and trades nothing."""
    office = Place(
        "上海市",
        "上海市",
        "浦东新区",
        "锦绣东路 2777 弄 8 号",
        "No. 8, Lane 2777, Jinxiu East Road",
        "周宁",
        "021-55550100",
    )
    return enterprise(
        "operator",
        "operator",
        credit_code("310115", "MADEMT01"),
        ("通商平台运营有限公司", "Tongshang Platform Operations Co., Ltd.", "通商运营"),
        office,
        ("中国银行上海演示支行", "104290099001", "4400550001000001"),
        (
            Person("周宁", "Zhou Ning", "zhou.ning@tongshang.example.com", ("operator.admin",)),
            Person("贺岚", "He Lan", "he.lan@tongshang.example.com", ("operator.risk",)),
        ),
    )


def enterprises() -> tuple[Enterprise, ...]:
    """The four that trade: two sellers, then two buyers."""
    return (steel_trader(), parts_trader(), machine_maker(), builder())


def steel_trader() -> Enterprise:
    office = Place(
        "上海市",
        "上海市",
        "宝山区",
        "铁山路 1588 号 3 幢 602 室",
        "Room 602, Block 3, 1588 Tieshan Road",
        "李敏",
        "021-55550118",
    )
    first = Place(
        "上海市", "上海市", "宝山区", "月罗公路 2200 号", "2200 Yueluo Highway", "孙国平", "021-55550121"
    )
    second = Place(
        "江苏省",
        "太仓市",
        "浮桥镇",
        "港口开发区协鑫东路 9 号",
        "9 Xiexin East Road, Port Zone",
        "钱卫",
        "0512-55550122",
    )
    return enterprise(
        "lianhang",
        "trader",
        credit_code("310113", "MADEMA01"),
        ("上海联航钢铁贸易有限公司", "Shanghai Lianhang Steel Trading Co., Ltd.", "联航钢铁"),
        office,
        ("中国工商银行上海演示支行", "102290099018", "1001550009000018"),
        (
            Person("李敏", "Li Min", "li.min@lianhang.example.com", ("admin", "seller.sales")),
            Person("高翔", "Gao Xiang", "gao.xiang@lianhang.example.com", ("admin",)),
            Person("张恺", "Zhang Kai", "zhang.kai@lianhang.example.com", ("seller.sales", "seller.planner")),
            Person("孙国平", "Sun Guoping", "sun.guoping@lianhang.example.com", ("seller.warehouse",)),
            Person("吴倩", "Wu Qian", "wu.qian@lianhang.example.com", ("seller.finance",)),
            Person("何俊", "He Jun", "he.jun@lianhang.example.com", ("it",)),
        ),
        (
            Warehouse("BS1", "宝山一库", "Baoshan No. 1", first),
            Warehouse("TC1", "太仓港库", "Taicang Port", second),
        ),
        ("rebar", "plate", "sections", "bearings"),
    )


def parts_trader() -> Enterprise:
    office = Place(
        "浙江省", "宁波市", "鄞州区", "启明路 655 号", "655 Qiming Road", "王海燕", "0574-55550133"
    )
    store = Place(
        "浙江省",
        "宁波市",
        "鄞州区",
        "启明路 655 号 2 号库",
        "Store 2, 655 Qiming Road",
        "陈涛",
        "0574-55550134",
    )
    return enterprise(
        "yongtai",
        "trader",
        credit_code("330212", "MADEMB02"),
        ("宁波甬泰工业品有限公司", "Ningbo Yongtai Industrial Supplies Co., Ltd.", "甬泰工业品"),
        office,
        ("中国建设银行宁波演示支行", "105332099027", "3310155000900027"),
        (
            Person("王海燕", "Wang Haiyan", "wang.haiyan@yongtai.example.com", ("admin", "seller.sales")),
            Person(
                "陈涛", "Chen Tao", "chen.tao@yongtai.example.com", ("seller.warehouse", "seller.planner")
            ),
            Person("林珊", "Lin Shan", "lin.shan@yongtai.example.com", ("seller.finance",)),
            Person("潘悦", "Pan Yue", "pan.yue@yongtai.example.com", ("admin",)),
        ),
        (Warehouse("NB1", "宁波中心库", "Ningbo Central", store),),
        ("fasteners", "cable", "valves"),
    )


def machine_maker() -> Enterprise:
    works = Place(
        "江苏省", "苏州市", "吴江区", "汾湖大道 1188 号", "1188 Fenhu Avenue", "徐磊", "0512-55550146"
    )
    return enterprise(
        "hengke",
        "manufacturer",
        credit_code("320509", "MADEMC03"),
        ("苏州恒科精密机械有限公司", "Suzhou Hengke Precision Machinery Co., Ltd.", "恒科机械"),
        works,
        ("中国农业银行苏州演示支行", "103305099036", "1054550010400036"),
        (
            Person("赵琳", "Zhao Lin", "zhao.lin@hengke.example.com", ("admin", "buyer.clerk")),
            Person("唐静", "Tang Jing", "tang.jing@hengke.example.com", ("admin",)),
            Person("徐磊", "Xu Lei", "xu.lei@hengke.example.com", ("buyer.approver",), Decimal("2000000.00")),
            Person("郭芳", "Guo Fang", "guo.fang@hengke.example.com", ("buyer.finance",)),
            Person("马强", "Ma Qiang", "ma.qiang@hengke.example.com", ("buyer.warehouse",)),
            Person("冯媛", "Feng Yuan", "feng.yuan@hengke.example.com", ("auditor",)),
        ),
        (Warehouse("WJ1", "吴江厂区收货点", "Wujiang works, goods in", works),),
    )


def builder() -> Enterprise:
    office = Place(
        "江苏省", "无锡市", "新吴区", "长江路 26 号", "26 Changjiang Road", "唐伟", "0510-55550152"
    )
    site = Place(
        "江苏省", "无锡市", "新吴区", "梅育路 A3 工地", "Site A3, Meiyu Road", "丁力", "0510-55550153"
    )
    return enterprise(
        "zhuda",
        "manufacturer",
        credit_code("320214", "MADEMD04"),
        ("无锡筑达建设工程有限公司", "Wuxi Zhuda Construction Engineering Co., Ltd.", "筑达建设"),
        office,
        ("交通银行无锡演示支行", "301302099045", "3220550018800045"),
        (
            Person(
                "唐伟",
                "Tang Wei",
                "tang.wei@zhuda.example.com",
                ("admin", "buyer.approver"),
                Decimal("5000000.00"),
            ),
            Person("沈悦", "Shen Yue", "shen.yue@zhuda.example.com", ("buyer.clerk",)),
            Person("丁力", "Ding Li", "ding.li@zhuda.example.com", ("buyer.warehouse",)),
            Person("蒋文", "Jiang Wen", "jiang.wen@zhuda.example.com", ("buyer.finance",)),
            Person("宋扬", "Song Yang", "song.yang@zhuda.example.com", ("admin",)),
        ),
        (Warehouse("WX1", "新吴项目工地", "Xinwu building site", site),),
    )


@dataclass(frozen=True, slots=True)
class PastLine:
    """One line of a past order; `shipped` is what each shipment carried of it, empty when none has left."""

    sku: str
    quantity: Decimal
    shipped: tuple[Decimal, ...] = ()

    @property
    def short(self) -> bool:
        """Whether less came than was ordered, or not all yet."""
        return sum(self.shipped, Decimal(0)) < self.quantity


@dataclass(frozen=True, slots=True)
class PastOrder:
    """A plan of an order that once happened; `buyer` and `seller` are keys of enterprises."""

    po_no: str
    buyer: str
    seller: str
    lines: tuple[PastLine, ...]
    days_ago: int
    outcome: Outcome
    shipments: int

    @property
    def partial(self) -> bool:
        """Whether goods went out and yet some line came short or in more than one shipment."""
        return self.shipments > 1 or (self.shipments > 0 and any(line.short for line in self.lines))


# Out of a hundred orders; the rest are completed.
ENDINGS: tuple[tuple[int, Outcome], ...] = ((6, "rejected"), (15, "cancelled"), (37, "in_progress"))
# A usual order in base units and the step it is counted in.
LOTS = {"t": (2, 40, 1), "pcs": (4, 120, 4), "kpcs": (1, 12, 1), "m": (100, 2000, 100)}
SPLIT = Decimal("0.6")  # what the first of two shipments carries


def past_orders(seed: int, catalogue: Catalogue, count: int) -> Iterator[PastOrder]:
    """`count` past orders, oldest first, the same for the same seed.

    Taken together they never claim more than half of what a SKU has on hand, so they can be replayed on the
    opening stock. A seller sells only the families that are his. Orders under way are at most 30 days old.
    """
    rng = Random(f"{seed}/past")
    traders = [each for each in enterprises() if each.families]
    buyers = [each for each in enterprises() if not each.families]
    shelves = {seller.key: list(stocked(seller, catalogue)) for seller in traders}
    free = {sku.code: sku.on_hand / 2 for shelf in shelves.values() for sku in shelf}

    for number, days_ago in enumerate(sorted((rng.randint(1, 360) for _ in range(count)), reverse=True), 1):
        seller, buyer = rng.choice(traders), rng.choice(buyers)
        outcome = ending(rng, days_ago)
        chosen = [
            sku for sku in rng.sample(shelves[seller.key], 6) if free[sku.code] >= LOTS[sku.base_uom][0]
        ]
        wanted = {sku.code: lot(rng, sku, free[sku.code]) for sku in chosen[: rng.randint(1, 4)]}
        for code, quantity in wanted.items():
            free[code] -= quantity
        shipments = sent(rng, outcome)
        lines = tuple(
            PastLine(code, quantity, carried(quantity, shipments, outcome == "completed"))
            for code, quantity in wanted.items()
        )
        yield PastOrder(
            f"PO-{buyer.key.upper()}-{number:05d}", buyer.key, seller.key, lines, days_ago, outcome, shipments
        )


def stocked(seller: Enterprise, catalogue: Catalogue) -> Iterator[Sku]:
    """What a seller has enough of to have sold some."""
    for branch in seller.families:
        for sku in catalogue.family(branch):
            if sku.on_hand >= 8 * LOTS[sku.base_uom][0]:
                yield sku


def ending(rng: Random, days_ago: int) -> Outcome:
    """How an order ended; one older than a month is no longer under way."""
    luck = rng.randrange(100)
    for below, outcome in ENDINGS:
        if luck < below:
            return "completed" if outcome == "in_progress" and days_ago > 30 else outcome
    return "completed" if days_ago > 5 else "in_progress"


def lot(rng: Random, sku: Sku, free: Decimal) -> Decimal:
    """A quantity that a buyer would order, within what is free."""
    least, most, step = LOTS[sku.base_uom]
    steps = int((min(Decimal(most), free) / step).to_integral_value(ROUND_DOWN))
    return Decimal(rng.randint(least // step, steps) * step)


def sent(rng: Random, outcome: Outcome) -> int:
    """How many shipments have left: none for orders that ended early."""
    if outcome == "completed":
        return 1 if rng.random() < 0.7 else 2
    return rng.choice((0, 0, 1)) if outcome == "in_progress" else 0


def carried(quantity: Decimal, shipments: int, whole: bool) -> tuple[Decimal, ...]:
    """What each shipment carried; a single shipment of an unfinished order carries the first part only."""
    if shipments == 0:
        return ()
    first = (quantity * SPLIT).to_integral_value(ROUND_DOWN)
    if shipments == 1 and whole:
        return (quantity,)
    if shipments == 1:
        return (first,) if first else ()
    return (first, quantity - first) if first else (quantity,)

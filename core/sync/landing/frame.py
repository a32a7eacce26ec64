"""What all kinds share: one record by itself, its order, its lines, and what it was before."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from core import orders
from core.catalog import Product, fixed_factors
from core.kernel import Context, Invalid, Refused, round2
from core.orders import TradeOrder
from core.sync.contract import Record
from core.sync.facts import marked
from core.sync.incoming import Incoming, MovedLine
from core.sync.model import ExternalRef
from core.sync.refs import remember

ZERO = Decimal(0)
DIGITS = 6  # of a quantity and of a price
TOO_LARGE = "54000"  # PostgreSQL's word for what no index and no row can hold

T = TypeVar("T")
Good = Sequence[tuple[Record, Incoming]]


@dataclass(frozen=True)
class Left:
    """A row that was left out, and why."""

    record: Record
    external_id: str
    code: str
    said: str


class NotLanded(Exception):
    """This record cannot land; `said` names both sides of a difference, ours first."""

    def __init__(self, code: str, said: str = "") -> None:
        super().__init__(f"{code}: {said}")
        self.code, self.said = code, said


@contextmanager
def attempt(ctx: Context, record: Record, external_id: str, left: list[Left]) -> Iterator[None]:
    """One record by itself: when it cannot land nothing of it stays, but its line in `left`.

    What the verbs meant to tell the trail and the outbox goes with it: nobody hears of what did not happen.
    """
    try:
        with ctx.whole():
            yield
        return
    except NotLanded as why:
        code, said = why.code, why.said
    except Refused as refused:
        code, said = told(refused)
    except (DataError, IntegrityError, OperationalError) as wrong:
        if isinstance(wrong, OperationalError) and getattr(wrong.orig, "sqlstate", None) != TOO_LARGE:
            raise  # a race that was lost, a database that went away: nothing about this record
        code, said = "sync.unusable", str(wrong.orig).partition("\n")[0]
    except ArithmeticError as wrong:  # a number that is none, or one nobody can reckon with
        code, said = "sync.unusable", f"{type(wrong).__name__}"
    left.append(Left(record, external_id, code, said))


def by_halves(
    ctx: Context,
    rows: Sequence[T],
    land: Callable[[Sequence[T]], list[Left]],
    named: Callable[[T], tuple[Record, str]],
) -> list[Left]:
    """Land rows all at once; where one of them undoes the rest, each half by itself, down to the row that cannot land.

    `named` is a row's record and its id there. A page with one bad row costs a few dozen statements, not one a row.
    """
    refused: list[Left] = []
    with attempt(ctx, *named(rows[0]), refused):
        return land(rows)
    if len(rows) == 1:
        return refused
    middle = len(rows) // 2
    return by_halves(ctx, rows[:middle], land, named) + by_halves(ctx, rows[middle:], land, named)


def told(refused: Refused) -> tuple[str, str]:
    """A refusal of a verb as a code and its values."""
    errors = refused.errors if isinstance(refused, Invalid) else []
    if errors:
        return errors[0].code, "; ".join(f"{each.path}: {_values(each.values)}" for each in errors)
    return refused.code, _values(refused.values)


def _values(values: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in dict(values).items())


def counterpart(ctx: Context, connection_id: UUID, kind: str, external_id: str) -> UUID | None:
    """Which object of ours their record stands for already."""
    found: UUID | None = ctx.session.scalar(
        select(ExternalRef.local_id).where(
            ExternalRef.tenant_id == ctx.tenant_id,
            ExternalRef.connection_id == connection_id,
            ExternalRef.kind == kind,
            ExternalRef.external_id == external_id,
        )
    )
    return found


def stands_for(
    ctx: Context, connection_id: UUID, kind: str, local_id: UUID, external_id: str, number: str
) -> None:
    """From now on their record is known as ours: the same one again lands nothing."""
    if not remember(ctx, connection_id, kind, local_id, external_id, number):
        raise NotLanded("sync.ref_taken", f"{kind} {number}")


def taken(ctx: Context, connection_id: UUID, kind: str, local_ids: Sequence[UUID]) -> set[UUID]:
    """Which of our objects stand for a record of theirs already."""
    found = ctx.session.scalars(
        select(ExternalRef.local_id).where(
            ExternalRef.tenant_id == ctx.tenant_id,
            ExternalRef.connection_id == connection_id,
            ExternalRef.kind == kind,
            ExternalRef.local_id.in_(local_ids),
        )
    )
    return set(found)


def lock_order(ctx: Context, reference: str, side: str) -> TradeOrder:
    """The order of that reference on which the enterprise is `side`, locked: two records of one order take turns."""
    text = reference.strip()
    mine = TradeOrder.seller_id if side == "seller" else TradeOrder.buyer_id
    named: ColumnElement[bool] = TradeOrder.number.in_((text, text.rpartition("-")[0]))
    if (id := _uuid(text)) is not None:  # an order without a number goes out under its id
        named = TradeOrder.id == id
    rows = ctx.session.execute(
        select(TradeOrder.id, TradeOrder.number, TradeOrder.seller_id)
        .where(mine == ctx.tenant_id, named)
        .limit(20)
    ).all()
    found = [row.id for row in rows if id or text in (row.number, marked(row.number, row.seller_id))]
    if not found:
        raise NotLanded("sync.order_unknown", reference)
    if len(found) > 1:  # numbers are the sellers'; a buyer may meet one twice where it is not marked
        raise NotLanded("sync.order_ambiguous", reference)
    return orders.lock(ctx, found[0])


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


class Line(Protocol):
    """What is asked of a line of an order, or of an announcement of its goods."""

    @property
    def id(self) -> UUID: ...
    @property
    def no(self) -> int: ...
    @property
    def sku_id(self) -> UUID: ...
    @property
    def sku_code(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def factor(self) -> Decimal: ...


def moved_by_line(
    ctx: Context, connection_id: UUID, lines: Sequence[Line], moved: Sequence[MovedLine]
) -> dict[UUID, Decimal]:
    """How much of each order line was moved, in the line's own unit. Lines of nothing are left out.

    Raises `NotLanded` for a line nobody ordered, one that could be two, and a unit that is not the line's.
    """
    numbers = _their_numbers(ctx, connection_id, lines)
    bases = _base_units(ctx, lines)
    found: dict[UUID, Decimal] = {}
    for each in moved:
        if not each.quantity.is_finite() or each.quantity < 0:
            raise NotLanded("sync.quantity", f"{each.line} {each.material}: {each.quantity}")
        line = _line_of(lines, each, numbers)
        quantity = _in_unit(line, each, bases.get(line.sku_id, ""))
        if quantity:
            found[line.id] = found.get(line.id, ZERO) + quantity
    if not found:
        raise NotLanded("sync.no_lines")
    return found


def _line_of(lines: Sequence[Line], moved: MovedLine, numbers: dict[UUID, set[str]]) -> Line:
    named = [line for line in lines if line.no == moved.line] if moved.line else list(lines)
    fitting = [line for line in named if not moved.material or moved.material in numbers[line.sku_id]]
    if not fitting or not (moved.line or moved.material):
        raise NotLanded("sync.line_unknown", f"{moved.line or ''} {moved.material}".strip())
    if len(fitting) > 1:
        raise NotLanded("sync.line_ambiguous", moved.material)
    return fitting[0]


def _their_numbers(ctx: Context, connection_id: UUID, lines: Sequence[Line]) -> dict[UUID, set[str]]:
    """By what names the goods of each line may be called: our code, and their numbers of it."""
    numbers = {line.sku_id: {line.sku_code} for line in lines}
    rows = ctx.session.execute(
        select(ExternalRef.local_id, ExternalRef.external_id, ExternalRef.external_number).where(
            ExternalRef.tenant_id == ctx.tenant_id,
            ExternalRef.connection_id == connection_id,
            ExternalRef.kind == "product",
            ExternalRef.local_id.in_(list(numbers)),
        )
    )
    for local_id, external_id, number in rows:
        numbers[local_id] |= {external_id, number}
    return numbers


def _base_units(ctx: Context, lines: Sequence[Line]) -> dict[UUID, str]:
    """The base units of own products; of another enterprise's goods they are not ours to read."""
    rows = ctx.session.execute(
        select(Product.id, Product.base_uom).where(
            Product.tenant_id == ctx.tenant_id, Product.id.in_([line.sku_id for line in lines])
        )
    )
    return {id: unit for id, unit in rows}


def _in_unit(line: Line, moved: MovedLine, base: str) -> Decimal:
    """The quantity in the line's unit, exactly; a unit that is not told is the line's."""
    if moved.unit in ("", line.unit):
        return moved.quantity
    if factor := fixed_factors(moved.unit).get(line.unit):
        return _exact(line, moved, moved.quantity * factor)
    if factor := fixed_factors(line.unit).get(moved.unit):
        return _exact(line, moved, moved.quantity / factor)
    if moved.unit == base:
        return _exact(line, moved, moved.quantity / line.factor)
    raise NotLanded("sync.unit_conflict", f"{line.no}: {line.unit} / {moved.unit}")


def _exact(line: Line, moved: MovedLine, quantity: Decimal) -> Decimal:
    if round(quantity, DIGITS) != quantity:
        raise NotLanded("sync.unit_conflict", f"{line.no}: {line.unit} / {moved.quantity} {moved.unit}")
    return quantity


def shown(quantities: dict[int, Decimal]) -> str:
    """Quantities by line number, as a person reads them."""
    return ", ".join(f"{no}: {quantity.normalize():f}" for no, quantity in sorted(quantities.items()))


def amount(value: Decimal) -> str:
    """An amount with two digits, or with all it has."""
    return f"{round2(value):f}" if round2(value) == value else f"{value.normalize():f}"

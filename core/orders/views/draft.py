"""The form of a draft as its page needs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class DraftLine:
    """A line of the draft; a quantity left empty takes it out."""

    no: int
    name: str
    code: str
    unit: str
    quantity: Decimal
    unit_price: Decimal


@dataclass(frozen=True)
class DraftPage:
    """A draft being edited. `given` holds what stands in its fields, typed or stored."""

    number: str
    version: int
    lines: tuple[DraftLine, ...]
    given: Mapping[str, str]
    errors: Mapping[str, Sequence[str]]
    save_url: str
    back_url: str

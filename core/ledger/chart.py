"""The chart of accounts of a spot trade: what a posting may touch, and what each account is called.

Debit is positive, credit is negative. Accounts that are kept per partner carry the partner's id after a colon
(`receivable:0199...`), so what one buyer owes is one balance and needs no search.
"""

from dataclasses import dataclass
from uuid import UUID

from core.kernel import Invalid


@dataclass(frozen=True)
class Heading:
    """An account of the chart: an asset, a liability, income or cost. `partnered` ones exist per partner."""

    code: str
    nature: str
    name_en: str
    name_zh: str
    partnered: bool = False


CHART: dict[str, Heading] = {
    heading.code: heading
    for heading in (
        Heading("bank", "asset", "Bank", "银行存款"),
        Heading("receivable", "asset", "Trade receivables", "应收账款", partnered=True),
        Heading("advances_paid", "asset", "Advances paid to suppliers", "预付账款", partnered=True),
        Heading("input_vat", "asset", "Input VAT", "应交增值税（进项税额）"),
        Heading("purchases", "asset", "Goods purchased", "库存商品采购"),
        Heading("payable", "liability", "Trade payables", "应付账款", partnered=True),
        Heading(
            "advances_received", "liability", "Advances received from customers", "预收账款", partnered=True
        ),
        Heading("output_vat", "liability", "Output VAT", "应交增值税（销项税额）"),
        Heading("revenue", "income", "Sales revenue", "主营业务收入"),
        Heading("settlement_income", "income", "Settlement income", "结算补偿收入"),
        Heading("settlement_cost", "cost", "Settlement cost", "结算补偿支出"),
        Heading("rounding", "cost", "Rounding differences", "尾差"),
        Heading("in_trust", "asset", "Money in escrow", "托管中资金"),
        Heading("claims_receivable", "asset", "Damages receivable", "应收违约金", partnered=True),
        Heading("claims_payable", "liability", "Damages payable", "应付违约金", partnered=True),
    )
}


def code_of(heading: str, partner: UUID | None = None) -> str:
    """The account code of a heading, with the partner's id where the chart keeps it per partner."""
    if CHART[heading].partnered != (partner is not None):
        raise ValueError(f"{heading}: partner {'missing' if CHART[heading].partnered else 'not expected'}")
    return heading if partner is None else f"{heading}:{partner}"


def heading_of(code: str) -> Heading:
    """The heading of an account code; Invalid for a code the chart does not have."""
    name, _, partner = code.partition(":")
    found = CHART.get(name)
    if found is None or found.partnered != bool(partner):
        raise Invalid.one("account", "ledger.unknown_account", account=code)
    return found


def partner_of(code: str) -> UUID | None:
    """The partner an account is kept for, None for a shared one."""
    partner = code.partition(":")[2]
    return UUID(partner) if partner else None

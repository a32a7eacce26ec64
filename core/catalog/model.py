"""What is for sale: categories, products, the listing buyers see, price lists, and the runs that import them.

`Product` is the seller's own record and nobody else reads it. `Listing` is what the seller publishes of it:
a row with the same id, copied at publication, readable by every enterprise.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Measure, Model, Price, Published, TenantOwned, uuid_pk

STATUSES = ("draft", "active", "withdrawn")
AUDIENCES = ("contract", "tenant", "group", "public", "base")
"""Who a price list speaks to, in the order a price is searched."""


class Category(Published, Model):
    """A shelf of the catalogue. `path` joins the codes from the root (`steel/rebar`); equal paths are one
    shelf. A retired one keeps its products and takes no others.
    """

    __tablename__ = "category"
    __table_args__ = (
        UniqueConstraint("tenant_id", "path"),
        UniqueConstraint("tenant_id", "id"),
        Index("ix_category_path", "path", postgresql_ops={"path": "text_pattern_ops"}),
    )

    id: Mapped[uuid_pk]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("ts.category.id"), index=True)
    code: Mapped[str]
    path: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    rank: Mapped[int] = mapped_column(default=100)
    retired_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class CategoryAttribute(Published, Model):
    """One thing to state about every product of a category and of those below it.

    `kind` is text, number (in `unit`) or enum (one of `choices`).
    """

    __tablename__ = "category_attribute"
    __table_args__ = (
        UniqueConstraint("tenant_id", "category_id", "key"),
        ForeignKeyConstraint(["tenant_id", "category_id"], ["ts.category.tenant_id", "ts.category.id"]),
        CheckConstraint("kind IN ('text', 'number', 'enum')", name="kind"),
        CheckConstraint("kind <> 'enum' OR jsonb_array_length(choices) > 0", name="choices"),
    )

    id: Mapped[uuid_pk]
    category_id: Mapped[UUID]
    key: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    kind: Mapped[str]
    unit: Mapped[str | None]
    choices: Mapped[list[str]] = mapped_column(JSONB, default=list)
    required: Mapped[bool] = mapped_column(default=False)
    rank: Mapped[int] = mapped_column(default=100)


class Product(TenantOwned, Model):
    """One SKU of one seller. Numbers in `attributes` are decimal text, so no digit is lost.

    `code` is the seller's, `part_no` the maker's where there is one; their `_key` is what people type of
    them. `words` are further words to be found by, shown nowhere.
    """

    __tablename__ = "product"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        UniqueConstraint("tenant_id", "id"),
        CheckConstraint("status IN ('draft', 'active', 'withdrawn')", name="status"),
        CheckConstraint("weight_kg > 0", name="weight"),
        Index("ix_product_state", "tenant_id", "status", "code"),
        Index(
            "ix_product_shelf",
            "tenant_id",
            "category_path",
            "code",
            postgresql_ops={"category_path": "text_pattern_ops"},
        ),
        Index("ix_product_search", "search", postgresql_using="gin"),
    )

    id: Mapped[uuid_pk]
    code: Mapped[str]
    category_id: Mapped[UUID | None] = mapped_column(ForeignKey("ts.category.id"), index=True)
    category_path: Mapped[str] = mapped_column(default="")
    name_zh: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
    spec: Mapped[str] = mapped_column(default="")
    base_uom: Mapped[str]
    tax_class: Mapped[str] = mapped_column(default="goods")
    weight_kg: Mapped[Decimal | None] = mapped_column(Measure())  # kilograms of one base unit
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    part_no: Mapped[str] = mapped_column(default="")
    words: Mapped[str] = mapped_column(default="")
    code_key: Mapped[str]
    part_key: Mapped[str]
    search: Mapped[str] = mapped_column(TSVECTOR, deferred=True)
    status: Mapped[str] = mapped_column(default="draft")
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime] = mapped_column(server_default=text("ts.clock()"))


class UomConversion(TenantOwned, Model):
    """How many base units one `uom` of a product is: a bundle of rebar is 2.003328 t.

    `kind` is fixed (exact by nature) or theoretical (by the standard's formula).
    """

    __tablename__ = "uom_conversion"
    __table_args__ = (
        UniqueConstraint("tenant_id", "product_id", "uom"),
        ForeignKeyConstraint(["tenant_id", "product_id"], ["ts.product.tenant_id", "ts.product.id"]),
        CheckConstraint("factor > 0", name="factor"),
        CheckConstraint("kind IN ('fixed', 'theoretical')", name="kind"),
    )

    id: Mapped[uuid_pk]
    product_id: Mapped[UUID]
    uom: Mapped[str]
    factor: Mapped[Decimal] = mapped_column(Measure())
    kind: Mapped[str] = mapped_column(default="fixed")


class Listing(Published, Model):
    """A product as every buyer sees it. Same id as the product; indexes start with what buyers ask for, not
    the tenant.
    """

    __tablename__ = "listing"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "id"], ["ts.product.tenant_id", "ts.product.id"]),
        CheckConstraint("status IN ('listed', 'withdrawn')", name="status"),
        Index("ix_listing_search", "search", postgresql_using="gin"),
        Index("ix_listing_code_key", "code_key", postgresql_ops={"code_key": "text_pattern_ops"}),
        Index("ix_listing_part_key", "part_key", postgresql_ops={"part_key": "text_pattern_ops"}),
        Index("ix_listing_code", "code", "id", postgresql_where=text("status = 'listed'")),
        Index("ix_listing_seller", "tenant_id", "code", "id", postgresql_where=text("status = 'listed'")),
        Index(
            "ix_listing_shelf", "category_path", "code", postgresql_ops={"category_path": "text_pattern_ops"}
        ),
        Index(
            "ix_listing_cheap",
            text("coalesce(public_price, 1e15)"),
            "id",
            postgresql_where=text("status = 'listed'"),
        ),
        Index(
            "ix_listing_dear",
            text("coalesce(public_price, -1)"),
            "id",
            postgresql_where=text("status = 'listed'"),
        ),
    )

    id: Mapped[uuid_pk]
    code: Mapped[str]
    category_path: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    spec: Mapped[str]
    base_uom: Mapped[str]
    tax_class: Mapped[str]
    weight_kg: Mapped[Decimal | None] = mapped_column(Measure())
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    part_no: Mapped[str]
    code_key: Mapped[str]
    part_key: Mapped[str]
    search: Mapped[str] = mapped_column(TSVECTOR, deferred=True)
    public_price: Mapped[Decimal | None] = mapped_column(Price())  # per base unit, at the smallest quantity
    price_currency: Mapped[str] = mapped_column(default="CNY")
    price_tax_incl: Mapped[bool] = mapped_column(default=True)
    status: Mapped[str] = mapped_column(default="listed")
    version: Mapped[int] = mapped_column(default=1)
    listed_at: Mapped[datetime] = mapped_column(server_default=text("ts.clock()"))


class PriceList(TenantOwned, Model):
    """Prices for one audience in one currency, from `valid_from` until before `valid_to`.

    `ladder` volume: the tier reached prices every unit; graduated: each unit pays its own tier.
    """

    __tablename__ = "price_list"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        UniqueConstraint("tenant_id", "id"),
        CheckConstraint("audience IN ('contract', 'tenant', 'group', 'public', 'base')", name="audience"),
        CheckConstraint("ladder IN ('volume', 'graduated')", name="ladder"),
        CheckConstraint("(audience = 'group') = (group_code IS NOT NULL)", name="group"),
        CheckConstraint("(audience IN ('contract', 'tenant')) = (customer_id IS NOT NULL)", name="customer"),
        CheckConstraint("valid_to > valid_from", name="validity"),
    )

    id: Mapped[uuid_pk]
    name: Mapped[str]
    audience: Mapped[str]
    group_code: Mapped[str | None]
    customer_id: Mapped[UUID | None]
    currency: Mapped[str] = mapped_column(default="CNY")
    tax_incl: Mapped[bool] = mapped_column(default=True)
    ladder: Mapped[str] = mapped_column(default="volume")
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    phase: Mapped[str] = mapped_column(
        default="open"
    )  # coming, open, over: what the listings already show of it
    version: Mapped[int] = mapped_column(default=1)


class PriceRow(TenantOwned, Model):
    """The price of one base unit from `min_qty` base units on."""

    __tablename__ = "price_row"
    __table_args__ = (
        UniqueConstraint("tenant_id", "product_id", "price_list_id", "min_qty"),
        ForeignKeyConstraint(["tenant_id", "price_list_id"], ["ts.price_list.tenant_id", "ts.price_list.id"]),
        ForeignKeyConstraint(["tenant_id", "product_id"], ["ts.product.tenant_id", "ts.product.id"]),
        CheckConstraint("min_qty >= 0", name="min_qty"),
        CheckConstraint("price >= 0", name="price"),
        Index("ix_price_row_list", "tenant_id", "price_list_id", "product_id"),
    )

    id: Mapped[uuid_pk]
    price_list_id: Mapped[UUID]
    product_id: Mapped[UUID]
    min_qty: Mapped[Decimal] = mapped_column(Measure())
    price: Mapped[Decimal] = mapped_column(Price())


class ImportRun(TenantOwned, Model):
    """What a file of products led to: beside the run of the same id, which knows how far it is and what it refused."""

    __tablename__ = "import_run"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        ForeignKeyConstraint(["tenant_id", "id"], ["ts.work_run.tenant_id", "ts.work_run.id"]),
    )

    id: Mapped[uuid_pk]
    file_id: Mapped[UUID]
    charset: Mapped[str]
    added: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)

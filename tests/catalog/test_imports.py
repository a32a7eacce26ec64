"""Files of products: good rows land, bad rows keep their reasons, the file stays."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import pytest

from core import catalog, files
from core.catalog import csvfile, imports
from core.kernel import Context, Forbidden, Invalid, NotFound

D = Decimal
GOOD = (
    "编码,名称,英文名称,类目,规格,单位,单重,含税价,状态,attr:bore,attr:seal\r\n"
    '6205-2RS1,深沟球轴承,Deep groove ball bearing,bearing/ball,25×52×15,pcs,0.128,"1,012.50",在售,25,2RS\r\n'
    "6206-ZZ,深沟球轴承,,bearing/ball,30×62×16,pcs,0.2,,草稿,30,ZZ\r\n"
)
BAD = (
    GOOD + "6205-2RS1,又一次,,bearing/ball,,pcs,,,,25,\r\n"
    "X-1,名,,bearing/none,,stone,heavy,,,,\r\n"
    "\r\n"
    "X-2,名,,bearing/ball,,pcs,,,sold,宽,\r\n"
)


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_a_file_lands_in_its_declared_charset(
    selling: Context, shelves: None, buyer: UUID, charset: str
) -> None:
    done = catalog.import_products(selling, "goods.csv", GOOD.encode(charset), charset)
    assert (done.run.total, done.added, done.run.refused) == (2, 2, 0)
    with selling.as_tenant(buyer, "buyer") as ctx:
        (row,) = catalog.find_listings(ctx, catalog.Search("轴承")).rows
        assert (row.code, row.public_price, row.attributes) == (
            "6205-2RS1",
            D("1012.5"),
            {"bore": "25", "seal": "2RS"},
        )


def test_the_same_file_again_changes_nothing(selling: Context, shelves: None) -> None:
    catalog.import_products(selling, "goods.csv", GOOD.encode())
    again = catalog.import_products(selling, "goods.csv", GOOD.encode())
    assert (again.added, again.changed, again.unchanged, again.run.refused) == (0, 0, 2, 0)


def test_bad_rows_are_listed_with_their_reasons_and_the_file_is_kept(selling: Context, shelves: None) -> None:
    done = catalog.import_products(selling, "C:\\tmp\\goods.csv", BAD.encode())
    assert (done.run.total, done.run.done, done.added, done.run.refused) == (5, 5, 2, 3)
    issues = catalog.import_reasons(selling, done.id)
    assert (done.run.title, done.run.actor_name, done.run.state) == ("goods.csv", "test", "done")
    assert [(issue.place, issue.field, issue.code) for issue in issues] == [
        (4, "code", "product.code_twice"),
        (5, "weight_kg", "decimal.not_a_number"),
        (7, "status", "import.status"),
    ]
    assert files.read(selling, done.file_id)[1] == BAD.encode()
    assert [each.id for each in catalog.recent_imports(selling)] == [done.id]


def test_refused_rows_leave_as_a_file_that_can_be_mended_and_brought_again(
    selling: Context, shelves: None
) -> None:
    done = catalog.import_products(selling, "goods.csv", BAD.encode())
    refused = imports.refused_rows(selling, done.id, lambda code, values: code).decode("utf-8-sig")
    assert refused.splitlines()[0].startswith("#row,#reason,编码,名称")
    assert refused.splitlines()[2].startswith("5,decimal.not_a_number,X-1,名")
    mended = refused.replace("stone", "pcs").replace("heavy", "1.5").replace("bearing/none", "")
    again = catalog.import_products(selling, "mended.csv", mended.encode())
    assert (again.added, again.changed, again.run.refused) == (1, 1, 1)


def test_another_enterprise_never_sees_a_run(selling: Context, shelves: None, buyer: UUID) -> None:
    done = catalog.import_products(selling, "goods.csv", GOOD.encode())
    with selling.as_tenant(buyer, "buyer") as ctx:
        for look in (catalog.find_import, catalog.import_reasons, catalog.cancel_import):
            with pytest.raises(NotFound):
                look(ctx, done.id)
        assert catalog.recent_imports(ctx) == []


def test_a_price_in_a_file_asks_for_the_permission_to_price(
    selling: Context, make_ctx: Callable[..., Context]
) -> None:
    planner = dict.fromkeys(("product.import", "product.edit", "file.add", "file.view"))
    ctx = make_ctx(selling.tenant_id, planner)
    catalog.start_import(ctx, "goods.csv", b"code,name_zh\nA,a\n")
    with pytest.raises(Forbidden):
        catalog.start_import(ctx, "goods.csv", b"code,name_zh,price\nA,a,1\n")


@pytest.mark.parametrize(
    ("content", "charset", "code"),
    [
        (GOOD.encode("gb18030"), "utf-8", "import.not_in_charset"),
        (GOOD.encode(), "latin-1", "import.charset"),
        (b"", "utf-8", "import.no_header"),
        (b"code,name_zh\x00", "utf-8", "import.binary"),
        (b"code,colour\n1,red\n", "utf-8", "import.unknown_column"),
        (b"code,spec\n1,x\n", "utf-8", "import.missing_column"),
        (b"code,code,name_zh\n", "utf-8", "import.column_twice"),
        (b'code,name_zh\n1,"open\n', "utf-8", "import.not_csv"),
        (b"code,name_zh\n1," + b"x" * 2001 + b"\n", "utf-8", "import.field_too_long"),
        (b"code,name_zh\n" + b"1,x\n" * 200_001, "utf-8", "import.too_many_rows"),
    ],
)
def test_an_unusable_file_is_refused_as_a_whole(
    selling: Context, content: bytes, charset: str, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        catalog.import_products(selling, "x.csv", content, charset)
    assert refused.value.errors[0].code == code


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-cmd", "@SUM(A1)", "\tx", "\r", "＝1", "＋1", "－1", "＠a", "a;=1", "a,+b"]
)
def test_an_export_never_holds_a_formula(cell: str) -> None:
    assert csvfile.guarded(cell) == f"'{cell}"


def test_real_numbers_leave_as_numbers() -> None:
    assert [csvfile.guarded(cell) for cell in (D("-1.50"), "-1.5", "6205-2RS", None)] == [
        "-1.50",
        "-1.5",
        "6205-2RS",
        "",
    ]


def test_an_export_can_be_imported_again(selling: Context, shelves: None) -> None:
    catalog.import_products(selling, "goods.csv", GOOD.encode())
    catalog.upsert_products(selling, [catalog.ProductRow("MINUS", "-降级品", spec="=M12")])
    content = catalog.export_products(selling)
    assert content.startswith(b"\xef\xbb\xbf")
    assert "'-降级品" in content.decode("utf-8-sig")
    again = catalog.import_products(selling, "export.csv", content)
    assert (again.changed, again.unchanged, again.run.refused) == (0, 3, 0)


def test_an_import_changes_the_first_price_only(
    selling: Context, shelves: None, price: Callable[..., object]
) -> None:
    catalog.import_products(selling, "goods.csv", GOOD.encode())
    sku = next(row.sku_id for row in catalog.find_listings(selling, catalog.Search("6205")).rows)
    prices = catalog.public_list(selling)
    catalog.set_prices(
        selling, prices.id, [catalog.NewPrice(sku, D(1), D(9)), catalog.NewPrice(sku, D(10), D(8))]
    )
    catalog.import_products(selling, "goods.csv", GOOD.encode())
    assert [tier.price for tier in catalog.price_tiers(selling, sku)] == [D("1012.5"), D(8)]

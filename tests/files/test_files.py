"""A file is what its bytes say, and is seen by its owner and the named counterparty only."""

from uuid import uuid4

import pytest

from core import files
from core.kernel import Invalid, NotFound

PDF = b"%PDF-1.7\n..."


def test_the_owner_and_the_named_counterparty_read_a_file_and_nobody_else(unit, tenant, other_tenant):
    order = uuid4()
    with unit.system(tenant, "test") as ctx:
        kept = files.keep(ctx, "质保书.pdf", PDF, "order", order, other_id=other_tenant).id
    for reader in (tenant, other_tenant):
        with unit.system(reader, "test") as ctx:
            assert files.read(ctx, kept)[1] == PDF
            assert [row.name for row in files.files_of(ctx, "order", order)] == ["质保书.pdf"]
    with unit.system(uuid4(), "test") as ctx, pytest.raises(NotFound):
        files.read(ctx, kept)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.pdf", b"", "file.empty"),
        ("a.exe", b"MZ\x90\x00", "file.unknown_type"),
        ("a.csv", PDF, "file.wrong_ending"),
        ("a.html", b"<script>", "file.unknown_type"),
        ("a.txt", b"a\x00b", "file.unknown_type"),
        ("..", PDF, "file.no_name"),
    ],
)
def test_what_is_no_honest_file_is_refused(ctx, name, content, code):
    with pytest.raises(Invalid) as refused:
        files.keep(ctx, name, content, "order", uuid4())
    assert refused.value.errors[0].code == code


def test_a_path_in_a_name_is_cut_off(ctx):
    assert files.keep(ctx, "../../etc/订单.pdf", PDF, "order", uuid4()).name == "订单.pdf"

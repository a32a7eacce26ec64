"""Signatures by published vectors, and clocks."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.wms import signing

QIMEN_PARAMS = {
    "method": "taobao.qimen.stockout.create",
    "timestamp": "2026-11-22 19:30:00",
    "format": "xml",
    "app_key": "tsdemo",
    "v": "2.0",
    "sign_method": "md5",
    "customerId": "TSCUST01",
}
QIMEN_BODY = (
    b'<?xml version="1.0" encoding="utf-8"?><request><deliveryOrder><deliveryOrderCode>TS-OUT-1</deliveryOrderCode>'
    b"<orderType>B2BCK</orderType><warehouseCode>WH01</warehouseCode></deliveryOrder><orderLines><orderLine>"
    b"<orderLineNo>1</orderLineNo><ownerCode>TSOWNER</ownerCode><itemCode>BRG-6204</itemCode><planQty>12</planQty>"
    b"</orderLine></orderLines></request>"
)
QIMEN_SIGN = "FF97E918D5FF994D927A80AB9D68457B"

FLUX_DATA = '{"xmldata":{"header":[{"orderNo":"TS-OUT-1","customerId":"TSCUST01","warehouseId":"WH01"}]}}'
FLUX_BASE64 = "ZWU5ZjQ4NDc2NThlYTg0OGIwZWM2MmU4MWU4NzlhYWQ="
FLUX_AS_SENT = "ZWU5ZjQ4NDc2NThlYTg0OGIwZWM2MmU4MWU4NzlhYWQ%3D"
FLUX_UPPER_AS_SENT = "ZWU5ZJQ4NDC2NTHLYTG0OGIWZWM2MMU4MWU4NZLHYWQ%3D"

WDT_PARAMS = {
    "sid": "tsdemo",
    "appkey": "tsdemo-ot",
    "timestamp": "1795377059",
    "warehouse_no": "仓01",
    "page_no": "0",
    "page_size": "40",
}


def test_qimen_signs_with_the_secret_on_both_ends():
    assert signing.qimen(QIMEN_PARAMS, QIMEN_BODY, "tssecret") == QIMEN_SIGN


def test_qimen_leaves_out_the_sign_itself_and_what_is_empty():
    more = QIMEN_PARAMS | {"sign": "x", "session": ""}
    assert signing.qimen(more, QIMEN_BODY, "tssecret") == QIMEN_SIGN


def test_qimen_with_the_secret_behind_only_is_another_signature():
    import hashlib

    tail = signing.qimen(QIMEN_PARAMS, QIMEN_BODY, "tssecret", both_ends=False)
    plain = "".join(name + QIMEN_PARAMS[name] for name in sorted(QIMEN_PARAMS)).encode()
    assert tail == hashlib.md5(plain + QIMEN_BODY + b"tssecret").hexdigest().upper()
    assert tail != QIMEN_SIGN


def test_one_byte_of_the_body_changes_the_signature():
    assert signing.qimen(QIMEN_PARAMS, QIMEN_BODY + b" ", "tssecret") != QIMEN_SIGN


def test_flux_is_the_base64_of_the_hexadecimal_md5():
    from urllib.parse import quote

    assert signing.flux(FLUX_DATA, "flexsecret") == FLUX_BASE64
    assert quote(signing.flux(FLUX_DATA, "flexsecret"), safe="") == FLUX_AS_SENT
    assert quote(signing.flux(FLUX_DATA, "flexsecret", "upper"), safe="") == FLUX_UPPER_AS_SENT
    assert signing.flux(FLUX_DATA, "flexsecret", "twice") == FLUX_AS_SENT


def test_flux_knows_no_other_variant():
    with pytest.raises(ValueError):
        signing.flux(FLUX_DATA, "flexsecret", "sha")


def test_wangdiantong_counts_characters_not_bytes():
    assert signing.wangdiantong(WDT_PARAMS, "wdtsecret") == "8d36bc2855b165095e27b0c480381aff"


def test_a_stamp_is_chinas_time_wherever_we_are():
    at = datetime(2026, 11, 22, 11, 30, tzinfo=UTC)
    assert signing.stamp(at) == "2026-11-22 19:30:00"
    assert signing.read_stamp("2026-11-22 19:30:00") == at


@pytest.mark.parametrize(
    ("seconds", "taken"), [(0, True), (600, True), (-600, True), (601, False), (-601, False)]
)
def test_a_clock_may_be_ten_minutes_off(seconds, taken):
    at = datetime(2026, 11, 22, 11, 30, tzinfo=UTC)
    assert signing.fresh(signing.stamp(at + timedelta(seconds=seconds)), at) is taken


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-22", "2026-13-01 00:00:00", "1795377059"])
def test_what_is_no_stamp_is_never_fresh(text):
    assert not signing.fresh(text, datetime(2026, 11, 22, tzinfo=UTC))


def test_signatures_are_compared_whole():
    assert signing.same(QIMEN_SIGN, ["other", QIMEN_SIGN])
    assert not signing.same(QIMEN_SIGN[:-1], [QIMEN_SIGN])
    assert not signing.same("", [QIMEN_SIGN])
    assert not signing.same("签名", [QIMEN_SIGN])

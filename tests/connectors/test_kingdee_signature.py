"""Our signatures equal those of Kingdee's own client, byte for byte."""

import hashlib

import pytest

from connectors.kingdee.signature import client_id, client_secret, login_sign, signed_headers
from tests.connectors import kingdee_vectors as recorded


@pytest.mark.parametrize(("url", "org", "expected"), recorded.REQUESTS)
def test_signed_headers_equal_the_recorded_ones(url, org, expected):
    headers = signed_headers(
        url,
        acct_id=recorded.ACCT_ID,
        username=recorded.USERNAME,
        app_id=recorded.APP_ID,
        app_secret=recorded.APP_SECRET,
        lcid=recorded.LCID,
        org=org,
        seconds=recorded.SECONDS,
    )
    always = {
        "X-Api-ClientID": "200001",
        "X-Api-Auth-Version": "2.0",
        "x-api-timestamp": "1795377059",
        "x-api-nonce": "1795377059",
        "x-api-signheaders": "x-api-timestamp,x-api-nonce",
        "X-Kd-Appkey": recorded.APP_ID,
    }
    assert headers == always | expected


@pytest.mark.parametrize("odd", ["200001_tooshort", "200001", "a_b_c", "200001_" + "!" * 32])
def test_an_application_id_of_another_shape_signs_with_an_empty_key(odd):
    assert client_secret(odd) == ""


def test_the_client_is_the_first_half_of_the_application_id():
    assert client_id(recorded.APP_ID) == "200001"
    assert client_id("a_b_c") == ""


def test_login_sign_orders_its_values_before_hashing():
    sign = login_sign("b", "c", "a", "e", 4)
    assert sign == hashlib.sha256(b"4abce").hexdigest()
    assert sign != login_sign("b", "c", "a", "e", 5)

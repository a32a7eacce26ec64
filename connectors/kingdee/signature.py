"""The signatures Kingdee asks for: headers on each call, and the one of the login call.

With signed headers there is no login: every request carries two signatures. One covers path and time
and is keyed by the second half of the application id, scrambled with a constant every client knows; the
other covers who calls (data centre, user, language, organisation) and is keyed by the application secret.
Both are the base64 of the hexadecimal text of an HMAC-SHA256.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from urllib.parse import quote, urlsplit

SCRAMBLE = b"0054f397c6234378b09ca7d3e5debce7"
ENCODED_KEY_LENGTH = 32


def client_id(app_id: str) -> str:
    return app_id.split("_")[0] if app_id.count("_") == 1 else ""


def client_secret(app_id: str) -> str:
    """The key inside an application id `<client>_<32 characters>`; empty when it has another shape."""
    _, _, encoded = app_id.partition("_")
    if app_id.count("_") != 1 or len(encoded) != ENCODED_KEY_LENGTH:
        return ""
    try:
        plain = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return ""
    return base64.b64encode(bytes(a ^ b for a, b in zip(plain, SCRAMBLE, strict=False))).decode()


def seal(text: str, key: str) -> str:
    """Base64 of the lower-case hexadecimal text of HMAC-SHA256(key, text)."""
    digest = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
    return base64.b64encode(digest.encode()).decode()


def path_signature(path: str, stamp: str, nonce: str, app_id: str) -> str:
    """Signature over the URL's path as sent, its time and its nonce."""
    escaped = quote(path).replace("/", "%2F")
    return seal(f"POST\n{escaped}\n\nx-api-nonce:{nonce}\nx-api-timestamp:{stamp}\n", client_secret(app_id))


def signed_headers(
    url: str, *, acct_id: str, username: str, app_id: str, app_secret: str, lcid: int, org: str, seconds: int
) -> dict[str, str]:
    """The headers that sign one call; `seconds` is the Unix time, which serves as nonce as well."""
    stamp = str(seconds)
    who = f"{acct_id},{username},{lcid},{org}"
    return {
        "X-Api-ClientID": client_id(app_id),
        "X-Api-Auth-Version": "2.0",
        "x-api-timestamp": stamp,
        "x-api-nonce": stamp,
        "x-api-signheaders": "x-api-timestamp,x-api-nonce",
        "X-Api-Signature": path_signature(urlsplit(url).path, stamp, stamp, app_id),
        "X-Kd-Appkey": app_id,
        "X-Kd-Appdata": base64.b64encode(who.encode()).decode(),
        "X-Kd-Signature": seal(app_id + who, app_secret),
    }


def login_sign(acct_id: str, username: str, app_id: str, app_secret: str, seconds: int) -> str:
    """The sign of LoginBySign: SHA-256 over the five values in ordinal order."""
    values = sorted([acct_id, username, app_id, app_secret, str(seconds)])
    return hashlib.sha256("".join(values).encode()).hexdigest()

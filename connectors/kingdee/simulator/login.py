"""Who may call: signed headers on each call, or a session opened by password, secret or sign."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any

from connectors.kingdee.signature import client_id, login_sign, path_signature, seal
from connectors.kingdee.simulator.bills import Caller
from connectors.kingdee.simulator.shapes import session_lost
from connectors.kingdee.simulator.world import Account

CLOCK_WINDOW = 15 * 60  # seconds a signature's time may be off
COOKIE = "kdservice-sessionid"


@dataclass
class Login:
    """One open session."""

    caller: Caller
    until: float


class Desk:
    """Opens and checks sessions of one data centre."""

    def __init__(self, account: Account, session_seconds: float = 20 * 60) -> None:
        self.account = account
        self.session_seconds = session_seconds
        self._logins: dict[str, Login] = {}

    def admit(self, path: str, headers: Mapping[str, str]) -> tuple[Caller, str | None]:
        """Who calls, and a fresh session id when one was opened. Raises Problem 1 for strangers."""
        if headers.get("x-kd-appkey"):
            caller = self._signed(path, headers)
            if self._session(headers):
                return caller, None
            return caller, self._open(caller)
        login = self._session(headers)
        if not login:
            raise session_lost()
        login.until = time.monotonic() + self.session_seconds
        return login.caller, None

    def lose(self) -> None:
        """Forget every session, as a restart of the application pool does."""
        self._logins.clear()

    def login(self, verb: str, values: list[Any]) -> tuple[dict[str, Any], str | None]:
        """The answer of a login call, and the session it opened."""
        account = self.account
        user = str(values[1]) if len(values) > 1 else ""
        known = account.users.get(user)
        if not values or str(values[0]) != account.acct_id:
            return _refused(-1, session_lost().message), None
        if verb == "ValidateUser":
            right = known is not None and len(values) > 2 and _same(known.password, str(values[2]))
        elif verb == "LoginByAppSecret":
            right = (
                known is not None and len(values) > 3 and self._app_secret(str(values[2])) == str(values[3])
            )
        else:
            right = known is not None and len(values) > 4 and self._sign_fits(user, values)
        if not right:
            return _refused(
                0, "用户名或密码错误" if verb == "ValidateUser" else "第三方应用授权验证失败"
            ), None
        sid = self._open(self._caller(user, "0"))
        return self._welcome(user, sid), sid

    def _sign_fits(self, user: str, values: list[Any]) -> bool:
        app_id, stamp, sign = str(values[2]), str(values[3]), str(values[4])
        secret = self._app_secret(app_id)
        if not secret or not stamp.isdigit() or abs(time.time() - int(stamp)) > CLOCK_WINDOW:
            return False
        return _same(login_sign(self.account.acct_id, user, app_id, secret, int(stamp)), sign)

    def _signed(self, path: str, headers: Mapping[str, str]) -> Caller:
        app_id = headers.get("x-kd-appkey", "")
        secret = self._app_secret(app_id)
        stamp, nonce = headers.get("x-api-timestamp", ""), headers.get("x-api-nonce", "")
        try:
            appdata = base64.b64decode(headers.get("x-kd-appdata", ""), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise session_lost() from None
        acct_id, _, rest = appdata.partition(",")
        user, lcid, org = (rest.rsplit(",", 2) + ["", ""])[:3]
        if (
            not secret
            or headers.get("x-api-clientid") != client_id(app_id)
            or not stamp.isdigit()
            or abs(time.time() - int(stamp)) > CLOCK_WINDOW
            or not _same(path_signature(path, stamp, nonce, app_id), headers.get("x-api-signature", ""))
            or not _same(seal(app_id + appdata, secret), headers.get("x-kd-signature", ""))
            or acct_id != self.account.acct_id
            or user not in self.account.users
            or not lcid.isdigit()
        ):
            raise session_lost()
        return self._caller(user, org)

    def _app_secret(self, app_id: str) -> str:
        return self.account.app_secret if app_id == self.account.app_id else ""

    def _caller(self, user: str, org: str) -> Caller:
        orgs = self.account.users[user].orgs
        if org not in ("", "0") and org not in orgs:
            raise session_lost()
        return Caller(user, frozenset(orgs), org if org not in ("", "0") else orgs[0])

    def _open(self, caller: Caller) -> str:
        sid = secrets.token_hex(16)
        self._logins[sid] = Login(caller, time.monotonic() + self.session_seconds)
        return sid

    def _session(self, headers: Mapping[str, str]) -> Login | None:
        sid = headers.get(COOKIE, "")
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            cookies = SimpleCookie()
        if not sid and COOKIE in cookies:
            sid = cookies[COOKIE].value
        login = self._logins.get(sid)
        return login if login and login.until > time.monotonic() else None

    def _welcome(self, user: str, sid: str) -> dict[str, Any]:
        return {
            "Message": None,
            "MessageCode": "CheckPasswordPolicy",
            "LoginResultType": 1,
            "Context": {
                "UserLocale": "zh-CN",
                "DBid": self.account.acct_id,
                "SessionId": secrets.token_hex(12),
                "UserId": 100101,
                "UserName": user,
                "UserToken": secrets.token_hex(16),
                "CurrentOrganizationInfo": {"ID": 1, "Name": self.account.name},
                "ClientType": 32,
            },
            "KDSVCSessionId": sid,
            "FormId": None,
            "RedirectFormParam": None,
            "FormInputObject": None,
            "ErrorStackTrace": None,
            "Lcid": 0,
            "AccessToken": None,
            "CustomParam": {},
            "KdAccessResult": None,
            "IsSuccessByAPI": True,
        }


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())


def _refused(kind: int, message: str) -> dict[str, Any]:
    return {
        "Message": message,
        "MessageCode": None,
        "LoginResultType": kind,
        "Context": None,
        "KDSVCSessionId": None,
        "IsSuccessByAPI": False,
    }

"""One session with EAS: the login in whatever overload survived, the SessionId header, and one refresh when it is lost.

A lost session proves that the call was not executed: EAS looks for the session before it looks for the facade. So the
session signs in again once and sends once more. There is no logout on the way out: EAS's `logout` names a user and no
session, and would end the sessions of our other workers too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from connectors.kingdee.eas.soap import Service, SessionLost
from connectors.kingdee.eas.wsdl import Part, member
from tongshang.connect import FixSettings, RetryLater

if TYPE_CHECKING:
    from lxml.etree import _Element

HEADER = "{http://login.webservice.bos.kingdee.com}SessionId"
LOGIN = "login"

Found = TypeVar("Found")


@dataclass(frozen=True)
class Account:
    """As whom we come, and into which data centre."""

    user: str
    password: str = field(repr=False)
    solution: str  # slnName, `eas` nearly always
    data_centre: str  # dcName
    language: str = "L2"  # L2 simplified, L3 traditional, L1 English
    database: int = 1  # 0 SQL Server, 1 Oracle, 2 DB2, 3 PostgreSQL
    pattern: str = "BaseDB"  # authPattern

    def arguments(self, parts: tuple[Part, ...]) -> list[str | int]:
        """For the overload that takes `parts`: by name where the names are known, else in the documented order.

        Raises FixSettings when it is none of the three that are documented.
        """
        given: dict[str, str | int] = {
            "userName": self.user,
            "password": self.password,
            "slnName": self.solution,
            "dcName": self.data_centre,
            "language": self.language,
            "dbType": self.database,
            "authPattern": self.pattern,
            "isEncodePwd": 0,
        }
        if not 6 <= len(parts) <= len(given):
            raise FixSettings("eas.signature", f"login takes {len(parts)} arguments here")
        names = [part.name for part in parts]
        if not set(names) <= set(given):  # compiled without names: in0, in1 ...
            names = list(given)[: len(parts)]
        values = [given[name] for name in names]
        for part, value in zip(parts, values, strict=True):
            if part.whole != isinstance(value, int):
                raise FixSettings("eas.signature", f"login: {part.name} is of another type here")
        return values


class Session:
    """One user in one data centre. Calls may come from several threads."""

    def __init__(self, service: Service, account: Account) -> None:
        self.service, self.account = service, account
        self._id = ""
        self._let_in = False  # whether a session of ours ever carried a call
        self._signing_in = threading.RLock()

    def sign_in(self) -> str:
        """The session id; signs in when there is none. Raises SyncError."""
        with self._signing_in:
            if not self._id:
                wire = self.service.wire
                wire.secrets.add(self.account.password)
                values = self.account.arguments(self.service.parts(LOGIN))
                context = self.service.call(LOGIN, values, write=False)
                if context is None:
                    raise RetryLater("eas.login", "the login answered nothing")
                id = member(context, "sessionId")
                if not isinstance(id, str) or not id.strip():
                    where = f"{self.account.user} @ {self.account.solution}/{self.account.data_centre}"
                    raise FixSettings("eas.login_refused", where)
                wire.secrets.add(id)
                self._id = id
            return self._id

    def forget(self, id: str) -> None:
        """Give up a session that was lost, unless another thread has signed in again already."""
        with self._signing_in:
            if self._id == id:
                self._id = ""
                self.service.wire.secrets.discard(id)
                self.service.wire.http.cookies.clear()

    def within(self, work: Callable[[list[_Element]], Found]) -> Found:
        """Do `work` with the session's header; once more with a new session when the first was lost."""
        lost = ""
        for _ in range(2):
            id = self.sign_in()
            try:
                done = work([_header(id)])
                self._let_in = True
                return done
            except SessionLost as error:
                lost = error.message
                self.forget(id)
        # Where calls were let in before, the settings are right: it was lost in between, as by a restart, and that passes.
        kind = RetryLater if self._let_in else FixSettings
        raise kind("eas.session_lost", f"{lost}: lost again right after the login")


def _header(id: str) -> _Element:
    from lxml import etree

    element: _Element = etree.Element(HEADER)
    element.text = id
    return element

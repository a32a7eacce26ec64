"""One trading house with its people, committed, so that a sign-in on its own connection finds them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from uuid import UUID

import pyotp
import pytest
from sqlalchemy import Engine, text

from core.db import Database, Unit
from core.identity import SignedIn, add_person, principal_from_cookie, sign_in, verify_totp
from core.kernel import Context
from core.tenancy import register_enterprise
from tests.conftest import OTHER, TENANT, Server, make_unit

PASSWORD = "seven horses over the wall"
CODES = ("91350100M000100Y43", "91310000MA1FL4XY7W")
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@dataclass
class House:
    """Two enterprises in a database of their own."""

    db: Database
    unit: Unit
    owner: Engine
    serial: Iterator[int] = field(default_factory=count)

    def person(self, *roles: str, tenant: UUID = TENANT, totp: bool = False, email: str | None = None) -> str:
        """A new person's e-mail address."""
        email = email or f"p{next(self.serial)}@acme.example"
        with self.unit.system(tenant, "test") as ctx:
            add_person(
                ctx,
                name=email.split("@")[0],
                email=email,
                password=PASSWORD,
                roles=roles or ("buyer.clerk",),
                locale="en",
                totp_secret=SECRET if totp else None,
            )
        return email

    def sign_in(self, email: str, password: str = PASSWORD, remote: str = "") -> SignedIn:
        with self.db.session() as session:
            signed = sign_in(session, email, password, remote=remote, agent="pytest")
            session.commit()
            return signed

    def sign_in_fully(self, email: str) -> SignedIn:
        """With the second factor, whatever steps were used before."""
        signed = self.sign_in(email)
        self.scalar("UPDATE auth.mfa SET last_step = 1 RETURNING 1")
        with self.db.session() as session:
            now: datetime = session.scalar(text("SELECT ts.clock()"))
            full = verify_totp(session, signed.token, pyotp.TOTP(SECRET).at(now), remote="")
            session.commit()
            return full

    def opens(self, token: str, shift: str = "0") -> bool:
        """Whether a session token still lets anybody in, `shift` later."""
        with self.db.session() as session:
            session.execute(text("SELECT set_config('ts.clock_shift', :by, true)"), {"by": shift})
            found = principal_from_cookie(session, token)
            session.commit()
            return found is not None

    def act(self, token: str, work: Callable[[Context], object], *, fresh: bool = False) -> object:
        """Run a verb as the session's person and commit, as a request does."""
        with self.db.session() as session:
            principal = principal_from_cookie(session, token)
            assert principal is not None
            ctx = self.unit.enter(
                session,
                principal.tenant_id,
                principal.actor,
                principal.grants,
                now=principal.now,
                remote="",
            )
            if fresh:
                object.__setattr__(ctx.actor, "second_factor_at", ctx.now)
            answer = work(ctx)
            self.unit.finish(ctx)
            return answer

    def scalar(self, sql: str, **values: object) -> object:
        """Look at the tables as their owner, which no part of the application can."""
        with self.owner.begin() as connection:
            return connection.execute(text(sql), values).scalar()


@contextmanager
def open_house(server: Server) -> Iterator[House]:
    name = server.clone()
    db = Database(server.url_for("ts_app", name), pool_size=12)
    owner = Database(server.url_for("ts_migrator", name))
    made = House(db, make_unit(db), owner.engine)
    for tenant, code in zip((TENANT, OTHER), CODES, strict=True):
        with made.unit.system(tenant, "test") as ctx:
            register_enterprise(ctx, name=f"企业{code[-4:]}", uscc=code, kind="trader")
            mail = f"chief@{code[-4:].lower()}.example"
            add_person(ctx, name="chief", email=mail, password=PASSWORD, roles=["admin"])
    yield made
    owner.dispose()
    db.dispose()


@pytest.fixture(scope="module")
def house(server: Server, keys: None) -> Iterator[House]:
    with open_house(server) as made:
        yield made

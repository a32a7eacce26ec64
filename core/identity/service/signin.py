"""Coming in: password, then the second factor where one is set up; each step gets a token of its own.

These verbs run before there is a tenant, so they take a session instead of a Context. Unknown name, wrong password and
too many tries give one answer in one class of time.
"""

import unicodedata
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text

from core.identity.password import hash_password, needs_rehash, verify_password
from core.identity.principal import Principal, address, hashed, new_token, principal_from_cookie
from core.identity.service.tries import Try, count_try, guarded_try, settle_try
from core.identity.totp import recovery_hash, step_of, unseal
from core.kernel import Refused, uuid7


class SignInRefused(Refused):
    """Nobody is let in, and nothing is told about why beyond the code."""

    status = 401


@dataclass(frozen=True)
class SignedIn:
    """`token` is for the cookie (or the Bearer header). While `pending` it opens nothing but the second factor."""

    token: str = field(repr=False)
    pending: bool
    principal: Principal | None = None


@dataclass(frozen=True)
class Pending:
    """Who has shown the right password and owes the second factor."""

    session_id: UUID
    person_id: UUID
    name: str
    login: str


def normalise_login(login: str) -> str:
    """An e-mail address in lower case, or the digits of a phone number without +86 and punctuation."""
    typed = unicodedata.normalize("NFKC", login).strip()
    if "@" in typed:
        return typed.lower()
    digits = "".join(char for char in typed if char not in " -()\t")
    return digits.removeprefix("+86").removeprefix("0086")


def sign_in(
    session: Any, login: str, password: str, *, remote: str | None = None, agent: str = ""
) -> SignedIn:
    """Check a password. The answer is pending when the person has an authenticator. Raises SignInRefused."""
    name = normalise_login(login)
    tried = count_try(session, f"login:{name}", remote)
    with session.get_bind().engine.begin() as connection:  # given back before the slow hash below
        found = connection.execute(
            text("SELECT * FROM auth.find_login(:login)"), {"login": name}
        ).one_or_none()
    stored = found.password_hash if found is not None and tried.allowed else None
    if not verify_password(stored, password) or found is None:
        raise SignInRefused("identity.sign_in_refused")
    settle_try(session, tried)
    if needs_rehash(found.password_hash):
        session.execute(
            text("SELECT auth.rehash_password(:person, :old, :new)"),
            {"person": found.person_id, "old": found.password_hash, "new": hash_password(password)},
        )
    return open_session(session, found.person_id, found.has_second_factor, remote, agent)


def open_session(session: Any, person_id: UUID, pending: bool, remote: str | None, agent: str) -> SignedIn:
    token = new_token()
    values = {
        "id": uuid7(),
        "person": person_id,
        "token": hashed(token),
        "pending": pending,
        "remote": address(remote),
        "agent": agent[:200],
    }
    opened = session.scalar(
        text("SELECT auth.open_session(:id, :person, :token, :pending, :remote, :agent)"), values
    )
    if opened is None:
        raise SignInRefused("identity.no_enterprise")
    return SignedIn(token, pending, None if pending else principal_from_cookie(session, token, remote))


def pending_sign_in(session: Any, token: str | None) -> Pending | None:
    """Who waits for the second factor behind this token; None when nobody does any more (ten minutes)."""
    row = _pending(session, token)
    return None if row is None else Pending(row.session_id, row.person_id, row.name, row.login)


def verify_totp(session: Any, token: str | None, code: str, *, remote: str | None = None) -> SignedIn:
    """Finish a pending sign-in with the authenticator's code; a code is accepted once. Raises SignInRefused, TooManyTries."""
    waiting, tried = _owing(session, token, remote)
    step = step_of(unseal(waiting.secret, waiting.person_id), code, waiting.moment)
    if step is None or not take_step(session, waiting.person_id, step):
        raise SignInRefused("identity.code_refused", remaining=tried.remaining)
    return _promote(session, waiting, tried, remote)


def use_recovery_code(session: Any, token: str | None, code: str, *, remote: str | None = None) -> SignedIn:
    """Finish a pending sign-in with a recovery code, which is spent by it. Raises SignInRefused, TooManyTries."""
    waiting, tried = _owing(session, token, remote)
    spent = session.scalar(
        text("SELECT auth.use_recovery_code(:person, :code)"),
        {"person": waiting.person_id, "code": recovery_hash(waiting.person_id, code)},
    )
    if not spent:
        raise SignInRefused("identity.recovery_refused", remaining=tried.remaining)
    return _promote(session, waiting, tried, remote)


def take_step(session: Any, person_id: UUID, step: int) -> bool:
    """Use up a time step of the authenticator; False when it, or a later one, was used before."""
    return bool(
        session.scalar(text("SELECT auth.take_step(:person, :step)"), {"person": person_id, "step": step})
    )


def _owing(session: Any, token: str | None, remote: str | None) -> tuple[Any, Try]:
    waiting = _pending(session, token)
    if waiting is None:
        raise SignInRefused("identity.start_again")
    return waiting, guarded_try(session, f"factor:{waiting.person_id}", remote)


def _pending(session: Any, token: str | None) -> Any:
    if not token or len(token) > 100:
        return None
    return session.execute(
        text("SELECT * FROM auth.pending_session(:token)"), {"token": hashed(token)}
    ).one_or_none()


def _promote(session: Any, waiting: Any, tried: Try, remote: str | None) -> SignedIn:
    settle_try(session, tried)
    token = new_token()
    session.execute(
        text("SELECT auth.promote_session(:id, :token)"), {"id": waiting.session_id, "token": hashed(token)}
    )
    principal = principal_from_cookie(session, token, remote)
    if principal is None:
        raise SignInRefused("identity.start_again")
    return SignedIn(token, False, principal)

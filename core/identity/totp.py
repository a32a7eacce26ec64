"""The second factor: codes of an authenticator (RFC 6238), each accepted once, and recovery codes."""

import hashlib
import hmac
import io
import re
import secrets
import unicodedata
from datetime import datetime
from uuid import UUID

import pyotp
import segno

from core.db import keyring

STEP = 30  # seconds
RECOVERY_CODES = 10
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is mistaken for something else


def new_secret() -> str:
    return pyotp.random_base32()


def seal(secret: str, person_id: UUID) -> bytes:
    """Encrypt for the table; the ciphertext opens for this person only."""
    return keyring.encrypt(secret, f"auth.mfa.secret|{person_id}")


def unseal(sealed: bytes, person_id: UUID) -> str:
    return keyring.decrypt(bytes(sealed), f"auth.mfa.secret|{person_id}")


def normalise(code: str) -> str:
    """Six ASCII digits however they were typed or pasted (blanks, dashes, full width), else an empty string.

    Normalising comes before everything else, so `123 456` and `123456` are the same code to the replay check.
    """
    digits = re.sub(r"[\s\-·.]", "", unicodedata.normalize("NFKC", code))
    return digits if re.fullmatch(r"[0-9]{6}", digits) else ""


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step the code belongs to, one step early or late allowed; None for a wrong code."""
    typed = normalise(code)
    current = int(now.timestamp()) // STEP
    matching = None
    authenticator = pyotp.TOTP(secret)
    for step in (current - 1, current, current + 1):
        if hmac.compare_digest(authenticator.at(step * STEP), typed or "------"):
            matching = step
    return matching


def enrolment_uri(secret: str, login: str, issuer: str) -> str:
    """The otpauth:// address an authenticator reads."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def qr_svg(uri: str) -> str:
    """The address as a QR code: an inline SVG without style attributes, always dark on light so that cameras read it."""
    out = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=True,
        border=4,
        scale=4,
        dark="#000",
        light="#fff",
        omitsize=False,
        nl=False,
    )
    return out.getvalue().decode("ascii")


def new_recovery_codes() -> list[str]:
    """Ten codes of 50 random bits, written as XXXXX-XXXXX."""
    made = ["".join(secrets.choice(_ALPHABET) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    return [f"{code[:5]}-{code[5:]}" for code in made]


def recovery_hash(person_id: UUID, code: str) -> bytes:
    """What is kept of a recovery code, whatever case and dashes it is typed with."""
    plain = re.sub(r"[^0-9A-Z]", "", unicodedata.normalize("NFKC", code).upper())
    return hashlib.sha256(f"{person_id}:{plain}".encode()).digest()

"""Column types that refuse what money, measures and secrets must never be."""

import os
from decimal import Decimal
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import LargeBinary, Numeric
from sqlalchemy.types import TypeDecorator


class Exact(TypeDecorator[Decimal]):
    """numeric that takes only finite Decimals with no more digits than the column has; never a float."""

    impl = Numeric
    cache_ok = True

    def __init__(self, precision: int, scale: int) -> None:
        super().__init__(precision, scale)
        self.scale = scale
        self._unit = Decimal(1).scaleb(-scale)

    def process_bind_param(self, value: Any, dialect: Any) -> Decimal | None:
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            value = Decimal(value)
        if not isinstance(value, Decimal):
            raise TypeError(f"{value!r} is not a Decimal")
        if not value.is_finite():
            raise ValueError(f"{value} is not a finite number")
        if value != value.quantize(self._unit):
            raise ValueError(f"{value} has more than {self.scale} decimal places")
        return value


class Amount(Exact):
    """Money of a row that names its currency: numeric(20,4)."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(20, 4)


class Price(Exact):
    """A unit price: numeric(20,6)."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(20, 6)


class Measure(Exact):
    """A quantity, factor or rate: numeric(20,6)."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(20, 6)


class Keyring:
    """Keys by number; the current one encrypts, every one decrypts. Value: key number, 12-byte nonce, ciphertext."""

    def __init__(self) -> None:
        self._keys: dict[int, bytes] = {}
        self._current = 0

    def load(self, keys: dict[int, bytes]) -> None:
        self._keys, self._current = dict(keys), max(keys)

    def encrypt(self, text: str, aad: str) -> bytes:
        nonce = os.urandom(12)
        sealed = AESGCM(self._keys[self._current]).encrypt(nonce, text.encode(), aad.encode())
        return bytes([self._current]) + nonce + sealed

    def decrypt(self, value: bytes, aad: str) -> str:
        return AESGCM(self._keys[value[0]]).decrypt(value[1:13], value[13:], aad.encode()).decode()


keyring = Keyring()


class Encrypted(TypeDecorator[str]):
    """Text at rest under AES-256-GCM, bound to its column: a ciphertext moved to another column does not open."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, column: str) -> None:
        super().__init__()
        self.column = column

    def process_bind_param(self, value: Any, dialect: Any) -> bytes | None:
        return None if value is None else keyring.encrypt(value, self.column)

    def process_result_value(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else keyring.decrypt(bytes(value), self.column)

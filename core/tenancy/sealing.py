"""Secrets among a plugin's settings: encrypted where they lie, and each bound to its place.

A secret stands in the settings as `{"$sealed": "..."}`. It opens only where it was sealed: moved to another field, another
plugin or another enterprise it is worthless.
"""

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag

from core.db import keyring
from core.kernel import Conflict

_MARK = "$sealed"


def place_of(plugin: str, tenant_id: UUID | None) -> str:
    """Where secrets of a plugin lie: with an enterprise, or with the platform (None)."""
    return f"ts.plugin_settings|{tenant_id}|{plugin}" if tenant_id else f"ts.plugin_default|{plugin}"


def is_sealed(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {_MARK}


def seal(text: str, place: str, name: str) -> dict[str, str]:
    """What stands in the settings instead of the text."""
    return {_MARK: b64encode(keyring.encrypt(text, f"{place}|{name}")).decode()}


def unseal(value: Mapping[str, str], place: str, name: str) -> str:
    """The text again. Conflict where the key that sealed it is gone or it was moved here from elsewhere."""
    try:
        return keyring.decrypt(b64decode(value[_MARK]), f"{place}|{name}")
    except (InvalidTag, KeyError, IndexError, Error):
        raise Conflict("plugin.secret_unreadable", setting=name) from None

"""Settings and secrets of a connection: kept apart, secrets encrypted, never shown again."""

import json
from collections.abc import Mapping

from sqlalchemy.orm import object_session

from core.sync.contract import Access, Connector
from core.sync.mapping.applied import NOTHING, Applied, mapping_of
from core.sync.model import ErpConnection

SHORTEST_SECRET = 4  # characters; hiding shorter ones would blot out the whole text


def access_of(connection: ErpConnection, mapping: Applied | None = None) -> Access:
    """What a link needs, with the secrets open. `mapping` is the connection's, where it was read already."""
    here = object_session(connection)
    if mapping is None:
        mapping = mapping_of(here, connection.tenant_id, connection.id) if here else NOTHING
    return Access(
        base_url=connection.base_url,
        organisation=connection.organisation,
        settings=dict(connection.settings),
        secrets=json.loads(connection.secrets),
        tables=mapping.tables,
    )


def split(connector: Connector, given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Given values as (settings, secrets), each under the keys the connector knows.

    Blanks are left out, but where a setting has a default: emptied by hand it is empty.
    """
    kinds = {setting.key: setting.kind for setting in connector.settings}
    emptied = {each.key for each in connector.settings if each.default and each.kind in ("text", "number")}
    told = {key: str(value).strip() for key, value in given.items() if key in kinds}
    known = {key: value for key, value in told.items() if value or key in emptied}
    secrets = {key: value for key, value in known.items() if kinds[key] == "secret"}
    return {key: value for key, value in known.items() if key not in secrets}, secrets


def hidden(secrets: Mapping[str, str], text: str) -> str:
    """A text without the secrets in it."""
    for secret in secrets.values():
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return text


def sealed(secrets: Mapping[str, str]) -> str:
    return json.dumps(dict(secrets), ensure_ascii=False, sort_keys=True)

"""Settings and secrets of a connection: kept apart, secrets encrypted, never shown again."""

import json
from collections.abc import Mapping

from sqlalchemy.orm import object_session

from core.sync.contract import Access, Connector
from core.sync.mapping.applied import NOTHING, mapping_of
from core.sync.model import ErpConnection


def access_of(connection: ErpConnection) -> Access:
    """What a link needs, with the secrets open."""
    here = object_session(connection)
    mapping = mapping_of(here, connection.tenant_id, connection.id) if here else NOTHING
    return Access(
        base_url=connection.base_url,
        organisation=connection.organisation,
        settings=dict(connection.settings),
        secrets=json.loads(connection.secrets),
        tables=mapping.tables,
    )


def split(connector: Connector, given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Given values as (settings, secrets), each under the keys the connector knows; blanks are left out."""
    kinds = {setting.key: setting.kind for setting in connector.settings}
    known = {key: str(value).strip() for key, value in given.items() if key in kinds and str(value).strip()}
    secrets = {key: value for key, value in known.items() if kinds[key] == "secret"}
    return {key: value for key, value in known.items() if key not in secrets}, secrets


def sealed(secrets: Mapping[str, str]) -> str:
    return json.dumps(dict(secrets), ensure_ascii=False, sort_keys=True)

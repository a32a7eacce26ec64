"""PostgreSQL as the platform uses it: typed tables, a tenant per transaction, row-level security that is really on."""

from core.db import roles, schema
from core.db.base import Append, Model, Published, Shared, TenantOwned, TwoSided, uuid_pk
from core.db.counting import count_statements
from core.db.inserting import insert_rows
from core.db.rls import security_statements
from core.db.session import Database, TenantSession, set_tenant
from core.db.types import Amount, Encrypted, Measure, Price, keyring
from core.db.unit import Unit

__all__ = [
    "Amount",
    "Append",
    "Database",
    "Encrypted",
    "Measure",
    "Model",
    "Price",
    "Published",
    "Shared",
    "TenantOwned",
    "TenantSession",
    "TwoSided",
    "Unit",
    "count_statements",
    "insert_rows",
    "keyring",
    "roles",
    "schema",
    "security_statements",
    "set_tenant",
    "uuid_pk",
]

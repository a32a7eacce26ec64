"""The built-in roles of an enterprise, and how the database learns what each may do."""

from collections.abc import Iterable

from sqlalchemy import Connection, text

from core.kernel import Permission

ROLES: dict[str, str] = {
    "admin": "Administrator",
    "it": "IT and integration",
    "buyer.clerk": "Purchasing staff",
    "buyer.approver": "Purchase approver",
    "buyer.finance": "Finance, buying",
    "buyer.warehouse": "Warehouse, receiving",
    "seller.sales": "Sales staff",
    "seller.planner": "Sales planning",
    "seller.warehouse": "Warehouse, shipping",
    "seller.finance": "Finance, selling",
    "auditor": "Auditor, read only",
    "operator.risk": "Platform risk",
    "operator.admin": "Platform administration",
}
"""Role keys and their names (English; translated where shown). Operator roles exist on the operator's enterprise only."""


def sync_roles(connection: Connection, permissions: Iterable[Permission]) -> None:
    """Write what the installed rooms and plugins declare, and forget the rest. Runs as the migrator, with every migration.

    Raises ValueError when a permission names a role that does not exist or is declared twice.
    """
    declared = {}
    for permission in permissions:
        if permission.code in declared:
            raise ValueError(f"permission {permission.code} is declared twice")
        if unknown := set(permission.roles) - set(ROLES):
            raise ValueError(
                f"permission {permission.code} names unknown roles: {', '.join(sorted(unknown))}"
            )
        declared[permission.code] = permission
    connection.execute(text("DELETE FROM auth.role_permission"))
    connection.execute(
        text("DELETE FROM auth.permission WHERE NOT code = ANY (:codes)"), {"codes": list(declared)}
    )
    connection.execute(
        text(
            "INSERT INTO auth.permission (code, title, limited) VALUES (:code, :title, :limited) "
            "ON CONFLICT (code) DO UPDATE SET title = EXCLUDED.title, limited = EXCLUDED.limited"
        ),
        [{"code": p.code, "title": p.title, "limited": p.limited} for p in declared.values()],
    )
    held = [{"role": role, "code": p.code} for p in declared.values() for role in p.roles]
    if held:
        connection.execute(
            text("INSERT INTO auth.role_permission (role, permission) VALUES (:role, :code)"), held
        )

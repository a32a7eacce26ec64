"""What identity itself asks permission for."""

from core.identity.roles import ROLES
from core.kernel import Permission

EVERYBODY = tuple(ROLES)

PERMISSIONS = [
    Permission("me.view", "See who one is signed in as", EVERYBODY),
    Permission("account.own", "Look after one's own account", EVERYBODY),
    Permission(
        "member.view", "See the members of the enterprise", ("admin", "it", "auditor", "operator.admin")
    ),
    Permission(
        "member.manage",
        "Invite members, set their roles and limits, remove them",
        ("admin", "operator.admin"),
    ),
    Permission(
        "key.view", "See the API keys of the enterprise", ("admin", "it", "auditor", "operator.admin")
    ),
    Permission(
        "person.rescue",
        "Give people a link for a new password, take a lost authenticator away",
        ("operator.admin",),
    ),
    Permission("key.manage", "Create and revoke API keys", ("admin", "it", "operator.admin")),
]

"""The pages of identity: the door, one's own account, the members of an enterprise."""

from core.identity.views import account, door, members, rescue
from core.identity.views.frame import pages
from core.web import NavEntry
from core.web.i18n import lazy

NAV = [
    NavEntry(
        key="members",
        endpoint="identity.members",
        icon="users",
        title=lazy("Members"),
        group="system",
        permission="member.view",
        order=80,
        letter="m",
    ),
    NavEntry(
        key="people",
        endpoint="identity.people",
        icon="key",
        title=lazy("Sign-in help"),
        group="system",
        permission="person.rescue",
        order=65,
    ),
]

__all__ = ["NAV", "account", "door", "members", "pages", "rescue"]

"""What the plugin platform asks permission for. Switching on for one enterprise is tenancy's `plugin.manage`."""

from core.kernel import Permission

PERMISSIONS = [
    Permission(
        "plugin.install",
        "Install, upgrade, archive and remove plugins of the whole platform, trust their publishers",
        ("operator.admin",),
    ),
]

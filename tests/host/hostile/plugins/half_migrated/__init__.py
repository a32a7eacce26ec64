"""Its second migration fails after half its work."""

import tongshang as ts
from tongshang import hookimpl


@hookimpl
def register_permissions():
    return [ts.Permission("half_migrated.use", "Use it", ("admin",))]

"""Made for a platform that is not this one."""

import tongshang as ts
from tongshang import hookimpl


@hookimpl
def register_permissions():
    return [ts.Permission("wrong_core.use", "Use it", ("admin",))]

"""Kingdee Cosmic (金蝶云·苍穹, 星瀚): sales orders out over its OpenAPI, built from public documents only.

What is public: the two steps to an access token, the header it travels in, calls by path under `/kapi/v2/`, and the
envelope of answers. What a site calls its APIs, fields and states is told in the settings. `simulator/` is a stand-in.
"""

from typing import Any


def connector() -> Any:
    """The connector this package brings; loaded on demand, so that the simulator runs without the platform."""
    from connectors.kingdee.cosmic.system import Cosmic

    return Cosmic()

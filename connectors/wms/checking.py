"""The last step of a warehouse's check: what else flows besides orders, each looked at by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tongshang.connect import FixSettings, Rejected, Step


def what_flows(looks: Mapping[str, Callable[[], str]]) -> Step:
    """One look for each stream or kind of document. What the warehouse refuses is left off; orders out need none of it."""
    said, without = [], []
    for key, look in looks.items():
        try:
            said.append(look())
        except (Rejected, FixSettings) as error:
            said.append(f"{key}: {error.code}: {error.message}")
            without.append(key)
    return Step("read", True, "; ".join(filter(None, said)), tuple(without))

"""REST and webhooks: orders out as JSON, records in page by page or as the other system calls.

`system.py` says what is asked for, `client.py` makes one call and sorts its answer, `link.py` carries documents,
`streams.py` fetches, `hook.py` listens, `simulator/` is a small ERP to practise with.
"""

from typing import Any


def connector() -> Any:
    """The connector this package brings; loaded on demand, so that the simulator runs without the platform."""
    from connectors.generic.rest.system import Rest

    return Rest()

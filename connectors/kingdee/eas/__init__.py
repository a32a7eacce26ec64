"""Kingdee EAS: sales orders out, materials, customers and stock in, over SOAP rpc/encoded as Apache Axis 1.4 speaks it.

`system.py` describes the system, `facade.py` knows the calls, `session.py` the login, `soap.py` one exchange,
`wsdl.py` and `envelope.py` read what comes from outside, `mapping.py` knows EAS's field names. `simulator/` is a
stand-in on a real socket. What of it is publicly documented and what is an agreement with the site's own facade
stands in docs/guides/connect-eas.md.
"""

from typing import Any


def connector() -> Any:
    """The connector this package brings; loaded on demand, so that the simulator runs without the platform."""
    from connectors.kingdee.eas.system import Eas

    return Eas()

"""小厂通: a small imaginary ERP with a REST service of its own words, to practise with.

`account.py` is who may come and the settings that fit, `books.py` what it holds, `server.py` its protocol.
"""

from connectors.generic.rest.simulator.account import DEMO, Account, settings_for
from connectors.generic.rest.simulator.server import Simulator

__all__ = ["DEMO", "Account", "Simulator", "settings_for"]

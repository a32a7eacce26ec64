"""仓单通: an imaginary ERP that lives by files, with an SFTP server of its own, to practise with.

`erp.py` takes order files and answers them, `sftp.py` lets others at the folders, `server.py` is both with a page to break them.
"""

from connectors.generic.files.simulator.account import DEMO, Account, settings_for
from connectors.generic.files.simulator.erp import Erp
from connectors.generic.files.simulator.server import Simulator

__all__ = ["DEMO", "Account", "Erp", "Simulator", "settings_for"]

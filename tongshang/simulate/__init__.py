"""Practice servers: what every simulator of a connector is made of. Needs nothing but the standard library.

A connector's simulator speaks the true protocol on a real socket: a subclass of `Practice` that names its calls
(`name_of`) and answers them (`answer`). Trouble on demand, the page at `/_sim` and the command line come from here.
"""

from tongshang.simulate.faults import COMMON, Fault, Faults
from tongshang.simulate.practice import Broken, Call, NoSuchAct, Practice, Reply
from tongshang.simulate.running import main

__all__ = ["COMMON", "Broken", "Call", "Fault", "Faults", "NoSuchAct", "Practice", "Reply", "main"]

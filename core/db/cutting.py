"""Breaking off a transaction from another thread, where its own cannot be reached any more."""

import os
from socket import SHUT_RDWR, socket
from typing import Any


def cut(driver: Any) -> None:
    """Break the driver's line to the server: the server gives the transaction up, and with it every lock.

    Whoever uses the connection next, in its own thread, is told that it is lost.
    """
    if not driver.closed:
        with socket(fileno=os.dup(driver.fileno())) as line:
            line.shutdown(SHUT_RDWR)

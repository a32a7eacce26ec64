"""Files: orders out as a file each, answers and records read back, over SFTP or a folder of this machine.

`place.py` and `sftp.py` reach the files, `paper.py` and `workbook.py` write a document down, `tables.py` reads what others
wrote, `journal.py` knows what was left for whom, `link.py` carries documents, `streams.py` fetches, `simulator/` is an ERP to
practise with.
"""

from typing import Any


def connector() -> Any:
    """The connector this package brings; loaded on demand, so that the simulator runs without the platform."""
    from connectors.generic.files.system import Files

    return Files()

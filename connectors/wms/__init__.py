"""Warehouses: what their protocols share. Each protocol is a connector of its own in a folder of its own.

`signing.py` computes signatures and reads clocks, `xmltext.py` reads and writes XML that strangers may send,
`calls.py` makes one call and sorts its end by remedy, `goods.py` knows a warehouse's words for goods and units,
`shelves.py` reads stock page by page; `pushing.py` is part of the simulators alone.
"""

"""Connectors to the systems enterprises run: one folder each, all through the door `tongshang.connect`."""

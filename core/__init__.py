"""The host of Tongshang: the rooms of the house, from the kernel up to the web."""

__version__ = "0.1.0"

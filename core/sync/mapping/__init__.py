"""Mapping as data: look-up tables and rules of one connection, kept in versions, applied to what goes out and comes in."""

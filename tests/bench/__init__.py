"""Measurements: our own stack against raw SQL, side by side on one server in one run. Nothing here asserts a time."""

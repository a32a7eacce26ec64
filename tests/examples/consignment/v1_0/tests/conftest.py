"""A real installation with this plugin in it."""

pytest_plugins = ["tongshang.testing"]

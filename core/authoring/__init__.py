"""The author's road: a plugin made from a skeleton, tried on an installation of its own, checked before it is given away.

Above the whole house, like the demo: it makes databases, migrates them and starts the application.
"""

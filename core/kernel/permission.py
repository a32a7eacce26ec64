"""A permission: what a role may hold, named `<noun>.<verb>` and owned by the room or plugin that checks it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Permission:
    """`roles` are the built-in roles that hold it from the start; `limited` ones carry an amount limit."""

    code: str
    title: str
    roles: tuple[str, ...] = ()
    limited: bool = False

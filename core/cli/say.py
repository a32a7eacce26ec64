"""What commands tell: sentences for a person, or one JSON document for a program."""

import json
import sys
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from core.cli.tongue import say


class Teller:
    """Steps as they happen. With `as_json` they go to the error output, and `facts` alone to the output."""

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json
        self._count = 0

    def __call__(self, step: str, **facts: Any) -> None:
        """Tell one step and what is true after it."""
        self._count += 1
        click.echo(click.style(f"{self._count:>3}  ", fg="cyan") + say(step), err=self.as_json)
        for name, value in facts.items():
            words = say(name.replace("_", " "))
            click.echo(click.style(f"     {words}{say(': ')}", dim=True) + spoken(value), err=self.as_json)

    def note(self, text: str) -> None:
        """Something on the way, less than a step."""
        click.echo(click.style(f"     {say(text)}", dim=True), err=self.as_json)

    def heading(self, text: str) -> None:
        click.echo(click.style(f"\n{say(text)}", bold=True), err=self.as_json)

    def facts(self, values: Mapping[str, Any]) -> None:
        """The facts for a program; a person has been told already."""
        if self.as_json:
            print_json(values)

    def facts_line(self, values: Mapping[str, Any]) -> None:
        """The facts in one line at once, for a program that waits for them."""
        click.echo(json.dumps(values, ensure_ascii=False, default=plain))
        sys.stdout.flush()


def print_json(values: Mapping[str, Any]) -> None:
    json.dump(values, sys.stdout, ensure_ascii=False, indent=2, default=plain)
    sys.stdout.write("\n")
    sys.stdout.flush()


def plain(value: Any) -> Any:
    """Money, time and ids as text, never as floating point."""
    if isinstance(value, (Decimal, UUID, Path)):
        return str(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)


def spoken(value: Any) -> str:
    """A value in a line of the terminal."""
    if isinstance(value, bool):
        return say("yes" if value else "no")
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {spoken(part)}" for key, part in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(spoken(part) for part in value)
    return say(str(value))

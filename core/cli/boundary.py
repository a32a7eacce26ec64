"""The last line before the person at the terminal: every failure says what happened and what to do.

`TS_DEBUG=1` shows the traceback instead.
"""

import errno
import os
import sys
import traceback
from collections.abc import Sequence

import click

from core.cli.database import refusal
from core.cli.leash import hold
from core.cli.tongue import say, sentence_of
from core.config import UserError

WELL, BROKEN, MEND = 0, 1, 2
INTERRUPTED = 130


def guarded(arguments: Sequence[str]) -> int:
    """Run the command and turn whatever it raises into words and an exit code."""
    from core.cli.group import tongshang

    hold()
    try:
        answer = tongshang.main(list(arguments), prog_name="tongshang", standalone_mode=False)
        return answer if isinstance(answer, int) else WELL
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return MEND
    except (click.Abort, KeyboardInterrupt):
        click.echo("\n" + say("Stopped."), err=True)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read us has seen enough
        return WELL
    except Exception as error:  # the outermost edge: nothing above would say it any better
        if os.environ.get("TS_DEBUG"):
            raise
        told = readable(error)
        show(told)
        return MEND if told is error else BROKEN


def show(error: UserError) -> None:
    """Print one failure: what, where, do."""
    click.secho(f"\n{say('Stopped: ')}{say(error.what)}", fg="red", err=True)
    if error.where:
        click.echo(f"{say('  Where: ')}{error.where}", err=True)
    if error.do:
        click.echo(f"{say('     Do: ')}{say(error.do)}", err=True)


def readable(error: BaseException) -> UserError:
    """The failure in words, by what can be done about it."""
    if isinstance(error, UserError):
        return error
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UserError(
            "The disk is full.", str(error.filename or ""), "Make room on the disk, then try again."
        )
    if isinstance(error, OSError) and error.filename:
        return UserError(
            f"{error.strerror}.", str(error.filename), "Check that the file is there and that you may use it."
        )
    if kind in {"sqlalchemy.exc.OperationalError", "psycopg.OperationalError"}:
        return UserError(
            f"The database refused: {refusal(getattr(error, 'orig', None) or error)}",
            "",
            "`run.py doctor` finds out why.",
        )
    if kind == "core.kernel.refusal.Refused" or hasattr(error, "code") and hasattr(error, "values"):
        return UserError(f"Refused: {sentence_of(error)}", "", "Change what the message names, then try again.")
    at = traceback.extract_tb(error.__traceback__)
    where = f"{at[-1].filename}:{at[-1].lineno}" if at else ""
    return UserError(
        f"Something broke that should not: {type(error).__name__}: {error}",
        where,
        "Run it again with TS_DEBUG=1 in front and report what it prints.",
    )

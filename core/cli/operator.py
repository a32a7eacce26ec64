"""`operator`: who runs the platform. Everybody else comes in through the pages this person opens.

Whoever may run this command owns the machine, so it is also the last way back in for an operator who lost the password
or the authenticator.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from core.cli.database import require_tables, running_database
from core.cli.options import facts_command
from core.cli.say import Teller
from core.cli.tongue import say
from core.config import Config, UserError

if TYPE_CHECKING:
    from core.kernel import Context

ROLES = ("operator.admin",)
ADDRESS = "http://127.0.0.1:8080"


@facts_command()
@click.argument("email")
@click.option("--name", help="The person's name; default: the part before the @.")
@click.option("--company", help="Registered name of the enterprise that runs the platform; once.")
@click.option("--uscc", help="Its unified social credit code, 18 characters; once.")
@click.option("--url", default=ADDRESS, show_default=True, help="Where browsers reach the portal.")
@click.option("--reset-password", is_flag=True, help="A link for an operator who forgot the password.")
@click.option("--drop-authenticator", is_flag=True, help="Take an operator's lost authenticator away.")
def operator(
    data: Path | None,
    as_json: bool,
    email: str,
    name: str | None,
    company: str | None,
    uscc: str | None,
    url: str,
    reset_password: bool,
    drop_authenticator: bool,
) -> None:
    """Invite EMAIL to run the platform; prints a link that works once. May be repeated: a newer link replaces the older."""
    config = Config.load(data)
    tell = Teller(as_json)
    with running_database(config):
        require_tables(config)
        from core.app import Installation
        from core.db import Database

        house = Installation(config, Database(config.url("app"), pool_size=2))
        try:
            tenant, new = _enterprise(house, company, uscc)
            with house.unit.system(tenant, "operator") as ctx:  # one transaction: a wrong address leaves no company
                if new:
                    _enter(ctx, *new)
                facts = _let_in(ctx, email, name, url.rstrip("/"), tell, reset_password, drop_authenticator)
        finally:
            house.database.dispose()
    if new:
        tell("The company that runs the platform is entered", company=new[0])
    if "link" in facts:
        tell(facts["step"], link=facts["link"])
    tell.facts({"enterprise": str(tenant), "email": email, "link": facts.get("link")})


def _enterprise(house: Any, company: str | None, uscc: str | None) -> tuple[UUID, tuple[str, str] | None]:
    """The operator's enterprise; and, when there is none yet, the name and code to enter it with."""
    from core import identity
    from core.kernel import uuid7

    made = uuid7()
    with house.unit.system(made, "operator") as ctx:
        found = identity.operator_id(ctx)
    if found is not None:
        return found, None
    asked = {"--company": company, "--uscc": uscc}
    if sys.stdin.isatty():
        questions = {"--company": "Registered name of the company", "--uscc": "Unified social credit code"}
        asked = {option: value or click.prompt(say(questions[option])) for option, value in asked.items()}
    missing = [option for option, value in asked.items() if not (value or "").strip()]
    if missing:
        raise UserError(
            "Nobody runs this platform yet, and its company is not named.",
            ", ".join(missing),
            "Give --company and --uscc as on the business licence.",
        )
    return made, (str(asked["--company"]).strip(), str(asked["--uscc"]).strip())


def _enter(ctx: "Context", company: str, uscc: str) -> None:
    from core import tenancy

    tenancy.register_enterprise(ctx, name=company, uscc=uscc, kind="operator")
    ctx.session.flush()
    tenancy.verify_enterprise(ctx, ctx.tenant_id)


def _let_in(
    ctx: "Context", email: str, name: str | None, url: str, tell: Teller, reset: bool, drop: bool
) -> dict[str, str]:
    """Invite, or help whoever runs the platform already; answers the link, if there is one, and what to do with it."""
    from core import identity

    login = identity.normalise_login(email)
    member = next((one for one in identity.members(ctx) if one.email == login), None)
    if member is None and (reset or drop):
        raise UserError(f"{login} does not run this platform.", "", "Invite them without these options.")
    if member is None:
        made = identity.invite_member(ctx, login, name or login.split("@")[0], ROLES)
        return {
            "step": "Open this link within 7 days and choose a password",
            "link": f"{url}/join/{made.token}",
        }
    if drop and member.has_second_factor:
        identity.forget_second_factor(ctx, login)
    if drop:
        tell(f"{login} signs in with the password alone; set up another authenticator in the account")
    if reset:
        link = identity.reset_person(ctx, login)
        return {
            "step": "Open this link within a day and set another password",
            "link": f"{url}/reset/{link.token}",
        }
    if not drop:
        tell(f"{login} runs this platform already; --reset-password makes a link for a forgotten password")
    return {}

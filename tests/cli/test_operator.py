"""`operator`: from an empty installation to somebody who runs it, and back in when they lost everything."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from core.db import roles
from core.identity import accept_invitation, use_reset
from core.migrate import upgrade
from tests.cli.test_command_line import tongshang
from tests.conftest import Server

pytestmark = pytest.mark.slow

CODE = "91310000MA1FL4XY7W"
PASSWORD = "ten swans beyond the bridge"
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def ask(server: Server, keys: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """`operator` with these arguments on one empty database; its facts, or what it complained about."""
    name, data = f"{server.prefix}_operator", tmp_path_factory.mktemp("data")
    roles.provision(server.admin.render_as_string(hide_password=False), name)
    server.made.append(name)
    upgrade(server.url_for("ts_migrator", name))
    environ = {
        f"{role}DATABASE_URL": server.url_for(login, name)
        for role, login in (("", "ts_app"), ("WORKER_", "ts_worker"), ("MIGRATE_", "ts_migrator"))
    }

    def run(*arguments: str, **more: str) -> Any:
        done = tongshang("operator", *arguments, "--json", data=data, **environ, **more)
        return json.loads(done.stdout) if done.returncode == 0 else done.stderr

    run.name = name  # type: ignore[attr-defined]
    yield run


def opened(server: Server, ask: Ask, link: str, use: Callable[[Any, str], object]) -> object:
    engine = create_engine(server.url_for("ts_app", ask.name), poolclass=NullPool)  # type: ignore[attr-defined]
    from sqlalchemy.orm import Session

    with Session(engine) as session:
        answer = use(session, link.rsplit("/", 1)[1])
        session.commit()
    engine.dispose()
    return answer


def scalar(server: Server, ask: Ask, sql: str) -> Any:
    engine = create_engine(server.url_for("ts_migrator", ask.name), poolclass=NullPool)  # type: ignore[attr-defined]
    with engine.connect() as connection:
        found = connection.execute(text(sql)).scalar()
    engine.dispose()
    return found


def test_a_company_must_be_named_first(ask: Ask) -> None:
    assert re.search(r"Where: --company, --uscc", ask("zhou.ning@platform.example"))
    assert "平台还没有运营方" in ask("zhou.ning@platform.example", TS_LANG="zh")


@pytest.mark.parametrize(
    ("email", "uscc"), [("zhou.ning@platform.example", "123"), ("nobody", CODE), ("zhou.ning@platform.example", CODE[:-1] + "X")]
)
def test_bad_input_is_refused_in_words_and_leaves_nothing(ask: Ask, server: Server, email: str, uscc: str) -> None:
    said = ask(email, "--company", "通商运营有限公司", "--uscc", uscc)
    assert isinstance(said, str) and "Stopped: Refused: " in said
    assert not re.search(r"[a-z]+\.[a-z]+_[a-z]+", said.split("Refused: ")[1].split("\n")[0])
    assert scalar(server, ask, "SELECT count(*) FROM auth.operator") == 0


def test_the_first_operator_comes_in_by_a_link_and_a_newer_one_replaces_it(ask: Ask, server: Server) -> None:
    first = ask("Zhou.Ning@platform.example", "--name", "周宁", "--company", "通商运营有限公司", "--uscc", CODE)
    second = ask("zhou.ning@platform.example", "--url", "https://trade.example/")
    assert first["enterprise"] == second["enterprise"]
    assert second["link"].startswith("https://trade.example/join/")
    signed: Any = opened(server, ask, second["link"], lambda session, token: accept_invitation(session, token, PASSWORD))
    assert "enterprise.enter" in signed.principal.grants
    assert scalar(server, ask, "SELECT status FROM ts.enterprise") == "verified"
    assert ask("zhou.ning@platform.example")["link"] is None


def test_an_operator_who_lost_everything_comes_back(ask: Ask, server: Server) -> None:
    told = ask("zhou.ning@platform.example", "--reset-password", "--drop-authenticator")
    opened(server, ask, told["link"], lambda session, token: use_reset(session, token, "eleven rooks in the barn"))
    assert scalar(server, ask, "SELECT count(*) FROM auth.session WHERE revoked_at IS NULL") == 0
    assert "does not run this platform" in ask("somebody@else.example", "--reset-password")


def test_a_second_operator_is_invited_beside_the_first(ask: Ask) -> None:
    assert "/join/" in ask("he.lan@platform.example")["link"]


def test_the_code_of_the_demo_has_six_digits() -> None:
    assert re.fullmatch(r"\d{6}\n", tongshang("demo", "--code").stdout)


def test_the_data_folder_may_have_a_name_in_any_language(tmp_path: Path) -> None:
    assert re.fullmatch(r'\{"code": "\d{6}"\}\n', tongshang("demo", "--code", "--json", data=tmp_path / "演示").stdout)

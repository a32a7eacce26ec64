"""What an enterprise asks for is carried out at once where the operator opened the signer to enterprises."""

from typing import Any

import pytest

from core.host.life import changes
from core.host.life.plan import plan
from core.host.trust import publishers
from core.host.trust.intake import hand_in
from core.kernel import Actor, Refused
from tests.host.life.conftest import Ground, ground
from tests.host.life.wheels import file_name, library, wheel
from tests.host.trust.publisher import Maker

pytestmark = pytest.mark.slow

__all__ = ["ground"]


def trusted(ground: Ground, *, opened: bool) -> Maker:
    maker = Maker("Open" if opened else "Closed")
    with ground.unit.system(ground.operator, "ops") as ctx:
        publishers.trust(ctx, maker.name, maker.line, open_to_enterprises=opened)
    return maker


def kept(ground: Ground, maker: Maker | None, name: str, content: bytes) -> str:
    with ground.unit.system(ground.operator, "ops") as ctx:
        return hand_in(ctx, content, name, maker.signature(name, content) if maker else None)


def asked(ground: Ground, name: str) -> tuple[Any, str]:
    """An enterprise reads the plan and consents."""
    with ground.unit.system(ground.ids["lianhang"], "lianhang") as ctx:
        digest = plan(ctx, "install", name, ground.data).digest
        return changes.consent(ctx, "install", name, ground.data, digest=digest)


def test_a_plugin_of_an_open_publisher_is_installed_without_the_operators_answer(ground: Ground) -> None:
    maker = trusted(ground, opened=True)
    kept(ground, maker, file_name("free"), wheel("free", libraries=["open_lib"]))
    kept(ground, maker, "open_lib-1.0-py3-none-any.whl", library("open_lib", "1.0"))
    change, state = asked(ground, "free")
    assert state == "queued"
    assert ground.installer.claim(change)
    assert ground.installer.carry_out(change).state == "done"
    assert ground.plugin("free")["state"] == "installed"

    with ground.unit.system(ground.operator, "ops") as ctx:
        assert publishers.signed_by(ctx, maker.key_id).installed == ("free",)
        publishers.distrust(ctx, maker.key_id)
        assert publishers.of_revoked(ctx.session) == {"free": "Open"}
    assert ground.plugin("free")["state"] == "installed"


@pytest.mark.parametrize("signed", ["closed", "nobody", "library unsigned"])
def test_anything_less_waits_for_the_operator(ground: Ground, signed: str) -> None:
    name = f"wait_{signed.split()[0]}"
    maker = None if signed == "nobody" else trusted(ground, opened=signed != "closed")
    needs = ["bare_lib"] if signed == "library unsigned" else []
    kept(ground, maker, file_name(name), wheel(name, libraries=needs))
    kept(ground, None, "bare_lib-1.0-py3-none-any.whl", library("bare_lib", "1.0"))
    assert asked(ground, name)[1] == "asked"


def test_a_change_that_waits_while_its_key_is_revoked_is_not_carried_out(ground: Ground) -> None:
    maker = trusted(ground, opened=True)
    kept(ground, maker, file_name("late"), wheel("late"))
    change, state = asked(ground, "late")
    with ground.unit.system(ground.operator, "ops") as ctx:
        assert publishers.signed_by(ctx, maker.key_id).waiting == ("late",)
        publishers.distrust(ctx, maker.key_id)
    assert state == "queued" and ground.installer.claim(change)
    outcome = ground.installer.carry_out(change)
    assert (outcome.state, outcome.code) == ("failed", "plugin.signer_revoked")
    assert ground.plugin("late") is None
    with pytest.raises(Refused, match=r"plugin\.signer_revoked"):
        asked(ground, "late")


def test_an_enterprise_trusts_nobody_and_hands_nothing_in(ground: Ground) -> None:
    maker = Maker()
    with ground.unit.database.session() as session:
        ctx = ground.unit.enter(session, ground.ids["lianhang"], Actor.system("test"), {"plugin.manage": None})
        for act in (
            lambda: publishers.trust(ctx, "Me", maker.line),
            lambda: publishers.distrust(ctx, maker.key_id),
            lambda: hand_in(ctx, wheel("sly"), file_name("sly")),
        ):
            with pytest.raises(Refused) as refused:
                act()
            assert refused.value.status == 403
        session.rollback()

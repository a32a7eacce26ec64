"""Whatever enterprise and operator save, undo and give up in whatever order, the plugin reads the three layers merged."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import settings as settled
from hypothesis import strategies as st
from sqlalchemy import text

from core.hooks import Dispatch
from core.host import Loaded
from core.host.settings import history
from core.host.settings.history import Holder
from core.host.settings.overview import overview, public
from core.kernel import Context
from core.tenancy.effective import schema_defaults
from tests.host.settings import scales
from tests.host.settings.conftest import Desk

SECRETS = ("open sesame 4711", "a fox in the henhouse")
AUTHOR = schema_defaults(scales.Settings)
CHOICE = st.fixed_dictionaries(
    {"site": st.sampled_from(["North", "South"])},
    optional={
        "days": st.integers(1, 90),
        "automatic": st.booleans(),
        "fee": st.none() | st.sampled_from(["1.00", "2.50"]),
        "shifts": st.lists(st.sampled_from(["day", "night"]), max_size=2),
        "token": st.none() | st.sampled_from(SECRETS),
    },
)
STEP = st.tuples(st.sampled_from(["own", "platform"]), st.one_of(CHOICE, st.integers(1, 8)))


def kept(values: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """What a choice comes to: a secret that is not named stays, one that is None goes."""
    found = dict(values)
    if "token" not in values and "token" in before:
        found["token"] = before["token"]
    if found.get("token", "") is None:
        del found["token"]
    return found


@settled(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=1, max_size=8))
def test_any_sequence_of_saves_undos_and_defaults_reads_as_the_layers_merged(
    make_ctx: Callable[..., Context], dispatch: Dispatch, loaded: Loaded, platform: Desk, steps: list[tuple[str, Any]]
) -> None:
    ctx = platform.ctx
    outer = ctx.session.begin_nested()
    desks = {"own": Desk(ctx, loaded, Holder("scales", ctx.tenant_id)), "platform": platform}
    told: dict[str, list[dict[str, Any]]] = {"own": [{}], "platform": [{}]}
    desks["own"].save({"site": "North"}, on=True)
    told["own"].append({"site": "North"})
    for layer, step in steps:
        versions, desk = told[layer], desks[layer]
        wanted = versions[min(step, len(versions) - 1)] if isinstance(step, int) else kept(step, versions[-1])
        if isinstance(step, int):
            if layer == "own" and "site" not in {**told["platform"][-1], **wanted}:
                continue  # the field is required
            made = desk.undo(min(step, len(versions) - 1), seen=len(versions) - 1)
        else:
            made = desk.save(step, seen=len(versions) - 1)
        if wanted != versions[-1]:
            versions.append(wanted)
        assert made.no == len(versions) - 1
        own, given = told["own"][-1], told["platform"][-1]
        if "site" in {**given, **own}:
            assert desks["own"].read() == {**AUTHOR, **given, **own}
        clear = {name: value for name, value in {**AUTHOR, **given, **own}.items() if name != "token"}
        assert public(loaded, *(history.latest(ctx, each.holder).values for each in desks.values())) == clear
        shown = {each.setting.name: each.source for each in overview(ctx, loaded, desks["own"].holder).standings}
        assert {name for name, source in shown.items() if source == "own"} == set(own)
    seen = str(ctx.session.info["audit"])
    for table in ("plugin_settings", "plugin_enablement"):
        seen += str(ctx.session.execute(text(f"SELECT string_agg(t::text, ' ') FROM ts.{table} t")).scalar())
    seen += str([each.values for each in history.versions(ctx, platform.holder)])
    assert not any(secret in seen for secret in SECRETS)
    outer.rollback()

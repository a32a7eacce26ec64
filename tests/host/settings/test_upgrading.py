"""A new version of a plugin comes in only when everybody's settings still fit it, in the layers it will read."""

import json

import pytest
from sqlalchemy import text

from core.tenancy import enable_plugin, sealing
from tests.host.life.conftest import Ground, ground

pytestmark = pytest.mark.slow

__all__ = ["ground"]
SETTINGS = """
from marshmallow import validate

class Settings(ts.Schema):
    site = ts.fields.Text(required=True, min=1)
    days = ts.fields.Integer(load_default=3, validate=validate.Range(min=1, max={most}))
    token = ts.fields.Secret(load_default=None, allow_none=True, min=4)
"""


def test_an_upgrade_is_refused_while_somebodys_settings_do_not_fit(ground: Ground) -> None:
    assert ground.put("weigh", more=SETTINGS.format(most=90)).state == "done"
    ours = ground.ids["lianhang"]
    with ground.unit.system(ours, "test") as ctx:
        token = sealing.seal("open sesame", sealing.place_of("weigh", ours), "token")
        enable_plugin(ctx, "weigh", version="1.0", settings={"days": 40, "token": token, "gone": 1})
    with ground.unit.system(ground.operator, "ops") as ctx:
        ctx.session.execute(
            text("SELECT ts.plugin_default_set('weigh', CAST(:values AS jsonb), '1.0', '', 'ops')"),
            {"values": json.dumps({"site": "Harbour"})},
        )

    outcome = ground.put("weigh", "1.1", "upgrade", more=SETTINGS.format(most=30))
    assert (outcome.state, outcome.code) == ("failed", "plugin.settings_no_longer_fit"), outcome
    assert "days" in outcome.values["reason"] and "open sesame" not in str(outcome.values)
    assert ground.plugin("weigh")["version"] == "1.0"

    outcome = ground.put("weigh", "1.2", "upgrade", more=SETTINGS.format(most=60))
    assert outcome.state == "done", outcome

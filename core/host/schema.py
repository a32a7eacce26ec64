"""Plugins as JSON."""

from core.web import Schema, fields


class PluginAnswer(Schema):
    """`state` is available, enabled, draining, disabled or broken."""

    name = fields.Text(required=True)
    title = fields.Dict(required=True)
    summary = fields.Dict(required=True)
    category = fields.Text(required=True)
    version = fields.Text(required=True)
    state = fields.Text(required=True)
    reason = fields.Text(required=True)
    settings = fields.Dict(required=True)


class PluginList(Schema):
    items = fields.List(fields.Nested(PluginAnswer), required=True)


class EnableIn(Schema):
    """`settings` replace the earlier ones; without them they stay (or become the plugin's defaults)."""

    settings = fields.Dict(load_default=None, allow_none=True)


class DisableIn(Schema):
    """`drain` takes no new work and lets open orders finish."""

    drain = fields.Boolean(load_default=False)

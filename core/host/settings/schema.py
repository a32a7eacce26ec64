"""Settings of plugins as JSON."""

from core.web import Schema, fields


class SettingAnswer(Schema):
    """One setting. `source` says whose value is in force: own, platform, plugin, or empty. A secret has no `value`."""

    name = fields.Text(required=True)
    kind = fields.Text(required=True)
    title = fields.Text(required=True)
    hint = fields.Text(required=True)
    group = fields.Text(required=True)
    unit = fields.Text(required=True)
    required = fields.Boolean(required=True)
    nullable = fields.Boolean(required=True)
    choices = fields.List(fields.Raw(), required=True)
    value = fields.Raw(required=True, allow_none=True)
    source = fields.Text(required=True)
    below = fields.Raw(required=True, allow_none=True)
    below_source = fields.Text(required=True)


class SettingsAnswer(Schema):
    """`version` is the ETag a change must name. `chosen` is what a PUT replaces, without secrets."""

    plugin = fields.Text(required=True)
    version = fields.Integer(required=True)
    platform_version = fields.Integer(required=True)
    chosen = fields.Dict(required=True)
    settings = fields.List(fields.Nested(SettingAnswer), required=True)


class SettingsIn(Schema):
    """Exactly what is chosen; a field that is not named follows the layer below.

    A secret that is not named stays as it is, and null removes it.
    """

    settings = fields.Dict(required=True)
    note = fields.Text(load_default="", max=300)


class VersionAnswer(Schema):
    no = fields.Integer(required=True)
    set_by = fields.Text(required=True)
    set_at = fields.DateTime(required=True, allow_none=True)
    plugin_version = fields.Text(required=True)
    note = fields.Text(required=True)


class VersionList(Schema):
    items = fields.List(fields.Nested(VersionAnswer), required=True)


class DiffQuery(Schema):
    """Two versions; 0 is before the first."""

    older = fields.Integer(required=True)
    newer = fields.Integer(required=True)


class DifferenceAnswer(Schema):
    """`before_chosen` false: it followed the layer below. `secret` is empty, set, changed or removed."""

    name = fields.Text(required=True)
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)
    before_chosen = fields.Boolean(required=True)
    after_chosen = fields.Boolean(required=True)
    secret = fields.Text(required=True)


class DiffAnswer(Schema):
    items = fields.List(fields.Nested(DifferenceAnswer), required=True)


class UndoIn(Schema):
    """The version to go back to; `note` says why."""

    no = fields.Integer(required=True)
    note = fields.Text(load_default="", max=300)

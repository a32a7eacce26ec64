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


class InstalledAnswer(Schema):
    """A plugin of the installation. `state` is installed or archived; `stopped_by` is platform or operator."""

    name = fields.Text(required=True)
    state = fields.Text(required=True)
    version = fields.Text(required=True)
    previous_version = fields.Text(required=True, allow_none=True)
    packages = fields.List(fields.Text(), required=True)
    installed_by = fields.Text(required=True)
    installed_at = fields.DateTime(required=True)
    changed_at = fields.DateTime(required=True)
    stopped_by = fields.Text(required=True, allow_none=True)
    stopped_reason = fields.Text(required=True, allow_none=True)
    stopped_until = fields.DateTime(required=True, allow_none=True)


class PackageAnswer(Schema):
    """A wheel in store. `plugin` is null for a library, `signer` where no signature was verified."""

    sha256 = fields.Text(required=True)
    kind = fields.Text(required=True)
    plugin = fields.Text(required=True, allow_none=True)
    distribution = fields.Text(required=True)
    version = fields.Text(required=True)
    filename = fields.Text(required=True)
    size = fields.Integer(required=True)
    signer = fields.Text(required=True, allow_none=True)
    source = fields.Text(required=True)
    added_by = fields.Text(required=True)
    added_at = fields.DateTime(required=True)


class InstalledList(Schema):
    plugins = fields.List(fields.Nested(InstalledAnswer), required=True)
    packages = fields.List(fields.Nested(PackageAnswer), required=True)


class PackageIn(Schema):
    """`content` is the wheel in base64, `signature` the text of its `.minisig` file where it has one."""

    filename = fields.Text(required=True, min=1, max=300)
    content = fields.Raw(required=True)
    signature = fields.Text(load_default=None, allow_none=True, max=8192)


class PlanIn(Schema):
    """`sha256` chooses the package, `version` one of its versions; without them the newest."""

    verb = fields.Text(required=True, max=20)
    sha256 = fields.Text(load_default=None, allow_none=True, max=64)
    version = fields.Text(load_default=None, allow_none=True, max=64)


class ChangeIn(PlanIn):
    """`digest` is that of the plan consented to; `typed_name` the plugin's name, where it is removed for good."""

    digest = fields.Text(required=True, max=64)
    typed_name = fields.Text(load_default=None, allow_none=True, max=100)


class PlanAnswer(Schema):
    """What a change would do. An empty `publisher` means that nobody vouches for the package."""

    verb = fields.Text(required=True)
    plugin = fields.Text(required=True)
    title = fields.Dict(required=True)
    from_version = fields.Text(required=True, allow_none=True)
    to_version = fields.Text(required=True, allow_none=True)
    packages = fields.List(fields.Text(), required=True)
    publisher = fields.Text(required=True)
    tier = fields.Text(required=True)
    sha256 = fields.Text(required=True)
    licence = fields.Text(required=True)
    core = fields.Text(required=True)
    requires = fields.List(fields.Text(), required=True)
    libraries = fields.List(fields.Text(), required=True)
    permissions_new = fields.List(fields.Text(), required=True)
    permissions_gone = fields.List(fields.Text(), required=True)
    tables_new = fields.List(fields.Text(), required=True)
    migrations = fields.Boolean(required=True)
    hooks = fields.List(fields.Text(), required=True)
    hosts = fields.List(fields.Text(), required=True)
    slots = fields.List(fields.Text(), required=True)
    modes = fields.List(fields.Text(), required=True)
    routes = fields.List(fields.Text(), required=True)
    enterprises = fields.Integer(required=True)
    open_orders = fields.Integer(required=True)
    an_order = fields.Text(required=True, allow_none=True)
    open_gates = fields.Integer(required=True)
    needs_typed_name = fields.Boolean(required=True)
    unsigned = fields.List(fields.Text(), required=True)
    warnings = fields.List(fields.Text(), required=True)
    digest = fields.Text(required=True)


class ReasonAnswer(Schema):
    """Why a change ended as it did: a code, and the values its sentence names."""

    code = fields.Text(required=True)
    values = fields.Dict(required=True)


class ChangeAnswer(Schema):
    """`state` is asked, queued, running, done, rolled_back, failed or refused; `steps` are the newest word on each step."""

    id = fields.UUID(required=True)
    plugin = fields.Text(required=True)
    verb = fields.Text(required=True)
    state = fields.Text(required=True)
    version = fields.Text(required=True, allow_none=True)
    asked_by = fields.Text(required=True)
    asked_at = fields.DateTime(required=True)
    started_at = fields.DateTime(required=True, allow_none=True)
    ended_at = fields.DateTime(required=True, allow_none=True)
    steps = fields.List(fields.Dict(), required=True)
    reason = fields.Nested(ReasonAnswer, required=True, allow_none=True)


class ChangeList(Schema):
    items = fields.List(fields.Nested(ChangeAnswer), required=True)


class AnswerIn(Schema):
    """The operator's word; `reason` is needed with no."""

    yes = fields.Boolean(required=True)
    reason = fields.Text(load_default="", max=500)


class StopIn(Schema):
    reason = fields.Text(required=True, min=1, max=500)

"""What comes in and goes out over JSON. Secrets go in and never come out."""

from typing import Any

from marshmallow import validate
from marshmallow.fields import String as MarshmallowString

from core.sync.model import UNFINISHED
from core.web import Schema, fields
from core.web.pager import MAX_PAGE

DOCUMENT_STATES = (*UNFINISHED, "done", "superseded")


class ChoiceAnswer(Schema):
    value = fields.Text()
    title = fields.Text()


class SettingAnswer(Schema):
    """One setting a connector asks for. `kind` is text, secret, number, choice or pairs."""

    key = fields.Text()
    title = fields.Text()
    kind = fields.Text()
    required = fields.Boolean()
    default = fields.Text()
    hint = fields.Text()
    choices = fields.List(fields.Nested(ChoiceAnswer))


class ConnectorAnswer(Schema):
    key = fields.Text()
    title = fields.Text()
    summary = fields.Text()
    settings = fields.List(fields.Nested(SettingAnswer))
    streams = fields.List(fields.Text())
    documents = fields.List(fields.Text())
    hears = fields.Boolean()


class ConnectorsAnswer(Schema):
    rows = fields.List(fields.Nested(ConnectorAnswer))


def _values(**options: Any) -> Any:
    return fields.Dict(
        keys=MarshmallowString(validate=validate.Length(max=40)), values=fields.Text(max=4000), **options
    )


class ConnectionChange(Schema):
    """`values` are the connector's settings and secrets by key; a secret left out stays as it is.

    `documents` are the kinds that go out through it, of those its connector takes; null keeps what is.
    """

    name = fields.Text(required=True, min=1, max=80)
    base_url = fields.Text(required=True, min=1, max=300)
    organisation = fields.Text(load_default="", max=40)
    values = _values(load_default=dict)
    documents = fields.List(
        fields.Text(max=40), load_default=None, allow_none=True, validate=validate.Length(max=20)
    )


class NewConnectionBody(ConnectionChange):
    connector = fields.Text(required=True, max=40)


class StandingAnswer(Schema):
    """`waiting` documents are on their way, `stuck` ones need a person. `left`: what a drain must still finish."""

    id = fields.UUID()
    connector = fields.Text()
    name = fields.Text()
    base_url = fields.Text()
    organisation = fields.Text()
    state = fields.Text()
    state_reason = fields.Text()
    is_open = fields.Boolean()
    draining_since = fields.DateTime(allow_none=True)
    left = fields.Integer(allow_none=True)
    waiting = fields.Integer()
    stuck = fields.Integer()
    out_today = fields.Integer()
    in_today = fields.Integer()
    last_ok_at = fields.DateTime(allow_none=True)


class ConnectionsAnswer(Schema):
    rows = fields.List(fields.Nested(StandingAnswer))


class StreamAnswer(Schema):
    key = fields.Text()
    enabled = fields.Boolean()
    every_minutes = fields.Integer()
    next_at = fields.DateTime(allow_none=True)
    cursor = fields.Text(allow_none=True)


class StepAnswer(Schema):
    name = fields.Text()
    ok = fields.Boolean()
    said = fields.Text()


class CheckAnswer(Schema):
    at = fields.Text()
    ok = fields.Boolean()
    steps = fields.List(fields.Nested(StepAnswer))


class ConnectionAnswer(Schema):
    """One connection without its secrets; `checked` are the steps of the last check.

    `left`: documents and runs that a drain has yet to finish; 0: it stands still, null: there is no drain.
    `hears`: the other system may call us. `push_open`: there is an address for it.
    """

    id = fields.UUID()
    connector = fields.Text()
    name = fields.Text()
    base_url = fields.Text()
    organisation = fields.Text()
    settings = fields.Dict()
    documents = fields.List(fields.Text())
    state = fields.Text()
    state_reason = fields.Text()
    draining_since = fields.DateTime(allow_none=True)
    left = fields.Integer(allow_none=True)
    version = fields.Integer()
    last_ok_at = fields.DateTime(allow_none=True)
    last_error = fields.Text()
    open_until = fields.DateTime(allow_none=True)
    checked = fields.Nested(CheckAnswer, allow_none=True)
    hears = fields.Boolean()
    push_open = fields.Boolean()
    streams = fields.List(fields.Nested(StreamAnswer))


class PauseBody(Schema):
    reason = fields.Text(load_default="", max=500)


class ReplayBody(Schema):
    """Which failed or held documents to take up: by id, by cause, or all when nothing is said."""

    ids = fields.List(fields.UUID(), validate=validate.Length(max=1000))
    cause = fields.Text(max=100)


class SyncCount(Schema):
    count = fields.Integer()


class DismissBody(Schema):
    reason = fields.Text(required=True, min=1, max=500)


class ScheduleBody(Schema):
    """Every so many minutes; null switches the schedule off."""

    every_minutes = fields.Integer(
        required=True, allow_none=True, strict=True, validate=validate.Range(5, 10080)
    )


class RefBody(Schema):
    """Their number for one of our objects: a partner (an enterprise's id) or a product (a SKU's id)."""

    kind = MarshmallowString(required=True, validate=validate.OneOf(("partner", "product")))
    local_id = fields.UUID(required=True)
    number = fields.Text(required=True, min=1, max=100)


class DocumentQuery(Schema):
    state = MarshmallowString(validate=validate.OneOf(DOCUMENT_STATES))
    after = fields.Text(max=1000)
    limit = fields.Integer(load_default=25, validate=validate.Range(1, MAX_PAGE))


class DocumentRow(Schema):
    """One version of an order on its way; `reference` is the number it is filed under there."""

    id = fields.UUID()
    kind = fields.Text()
    object_id = fields.UUID()
    intent = fields.Text()
    version = fields.Integer()
    reference = fields.Text()
    partner = fields.Text()
    total = fields.Money()
    currency = fields.Text()
    state = fields.Text()
    tries = fields.Integer()
    remote_id = fields.Text(allow_none=True)
    remote_number = fields.Text(allow_none=True)
    cause = fields.Text(allow_none=True)
    cause_field = fields.Text()
    cause_text = fields.Text()
    created_at = fields.DateTime()
    changed_at = fields.DateTime()


class DocumentsAnswer(Schema):
    rows = fields.List(fields.Nested(DocumentRow))
    next = fields.Text(allow_none=True)


class ExchangeAnswer(Schema):
    """One call as it went over the wire, secrets hidden."""

    operation = fields.Text()
    url = fields.Text()
    request = fields.Text()
    status = fields.Integer(allow_none=True)
    response = fields.Text()
    milliseconds = fields.Integer()


class DocumentDetail(DocumentRow):
    exchanges = fields.List(fields.Nested(ExchangeAnswer))


class FailureAnswer(Schema):
    id = fields.UUID()
    reference = fields.Text()
    object_id = fields.UUID()
    partner = fields.Text()
    total = fields.Money()
    currency = fields.Text()
    state = fields.Text()
    tries = fields.Integer()
    at = fields.DateTime()


class CauseAnswer(Schema):
    """Failures with one cause; at most 50 of its documents are listed."""

    code = fields.Text()
    said = fields.Text()
    field = fields.Text()
    count = fields.Integer()
    first_at = fields.DateTime()
    last_at = fields.DateTime()
    documents = fields.List(fields.Nested(FailureAnswer))


class CausesAnswer(Schema):
    rows = fields.List(fields.Nested(CauseAnswer))


class RunAnswer(Schema):
    """One run of a stream; `total`: the rows it will read, null where the other system does not say."""

    id = fields.UUID()
    stream = fields.Text()
    trigger = fields.Text()
    state = fields.Text()
    started_at = fields.DateTime()
    ended_at = fields.DateTime(allow_none=True)
    total = fields.Integer(allow_none=True)
    read = fields.Integer()
    stored = fields.Integer()
    skipped = fields.Integer()
    said = fields.Text()


class RunsAnswer(Schema):
    rows = fields.List(fields.Nested(RunAnswer))


class IssueAnswer(Schema):
    """A record of a run or of a push that was left out, and why."""

    id = fields.UUID()
    run_id = fields.UUID(allow_none=True)
    push_id = fields.UUID(allow_none=True)
    external_id = fields.Text()
    code = fields.Text()
    said = fields.Text()
    record = fields.Dict()
    at = fields.DateTime()


class IssuesAnswer(Schema):
    rows = fields.List(fields.Nested(IssueAnswer))


class PushTokenAnswer(Schema):
    """Where the other system calls from now on, behind this installation's own address. Shown once."""

    token = fields.Text()
    path = fields.Text()


class PushQuery(Schema):
    after = fields.Text(max=1000)
    limit = fields.Integer(load_default=25, validate=validate.Range(1, MAX_PAGE))


class PushRow(Schema):
    """One call of the other system; `skipped` of its records stand as issues of it. `body` is what came, secrets hidden."""

    id = fields.UUID()
    connection_id = fields.UUID()
    key = fields.Text()
    kind = fields.Text()
    path = fields.Text()
    body = fields.Text()
    state = fields.Text()
    said = fields.Text()
    stored = fields.Integer()
    skipped = fields.Integer()
    answer_status = fields.Integer()
    at = fields.DateTime()
    landed_at = fields.DateTime(allow_none=True)


class PushesAnswer(Schema):
    rows = fields.List(fields.Nested(PushRow))
    next = fields.Text(allow_none=True)


class CertificateAnswer(Schema):
    """A certificate of `ca_pem` or `client_cert_pem`; `sha256` is its fingerprint."""

    field = fields.Text()
    subject = fields.Text()
    issuer = fields.Text()
    not_after = fields.DateTime()
    sha256 = fields.Text()


class TransportAnswer(Schema):
    """`at_once` documents under way and `per_minute` calls; null: the platform's number, no limit. Certificates are PEM.

    `settle_seconds`: how long it waits after an unclear answer before it looks there; null: as the connector says.
    """

    at_once = fields.Integer(allow_none=True)
    per_minute = fields.Integer(allow_none=True)
    settle_seconds = fields.Integer(allow_none=True)
    ca_pem = fields.Text()
    pinned_sha256 = fields.Text()
    client_cert_pem = fields.Text()
    certificates = fields.List(fields.Nested(CertificateAnswer))


class TransportBody(Schema):
    """`client_key` left out keeps the key that is there; without a client certificate it goes."""

    at_once = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(1, 16))
    per_minute = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(1, 6000)
    )
    settle_seconds = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(1, 86_400)
    )
    ca_pem = fields.Text(load_default="", max=100_000)
    pinned_sha256 = fields.Text(load_default="", max=200)
    client_cert_pem = fields.Text(load_default="", max=100_000)
    client_key = fields.Text(load_default=None, allow_none=True, max=20_000)

"""Messages as JSON."""

from marshmallow import validate
from marshmallow.fields import String

from core.orders.talk.model import LONGEST
from core.orders.talk.service import AUDIENCES
from core.web import Schema, fields


class AttachmentIn(Schema):
    """A file in base64 (a request of JSON takes a megabyte), with its name."""

    name = fields.Text(required=True, min=1, max=250)
    content = fields.Text(required=True, min=1, max=1_000_000)


class MessageIn(Schema):
    """`audience` own keeps it in the own enterprise; both lets the counterparty read it too."""

    text = fields.Text(required=True, min=1, max=LONGEST)
    audience = String(required=True, validate=validate.OneOf(AUDIENCES))
    attachment = fields.Nested(AttachmentIn, load_default=None, allow_none=True)


class ReadIn(Schema):
    """The newest message that was read."""

    message_id = fields.UUID(required=True)


class TalkQuery(Schema):
    after = fields.Text(max=300, load_default=None)
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))


class MessageAnswer(Schema):
    id = fields.UUID(required=True)
    side = fields.Text(required=True)
    author = fields.Text(required=True)
    text = fields.Text(required=True)
    audience = fields.Text(required=True)
    file_id = fields.UUID(required=True, allow_none=True)
    file_name = fields.Text(required=True, allow_none=True)
    at = fields.DateTime(required=True)


class TalkAnswer(Schema):
    """`unread` is the counterparty's last message when nobody of the own side has read it yet."""

    items = fields.List(fields.Nested(MessageAnswer), required=True, attribute="messages")
    unread = fields.UUID(required=True, allow_none=True)
    next = fields.Text(required=True, allow_none=True)


class ReadAnswer(Schema):
    """`done` is false when a newer message came in between."""

    done = fields.Boolean(required=True)

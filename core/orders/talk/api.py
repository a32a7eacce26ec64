"""Messages of an order over JSON."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from core.kernel import Context, Invalid
from core.orders.api import api
from core.orders.talk import reading
from core.orders.talk.schema import MessageAnswer, MessageIn, ReadAnswer, ReadIn, TalkAnswer, TalkQuery
from core.orders.talk.service import Attachment, mark_read, write_message


@api.get("/orders/<uuid:order_id>/messages", permission="order.view", query=TalkQuery, answer=TalkAnswer)
def list_messages(ctx: Context, order_id: UUID, query: dict[str, Any]) -> reading.Talk:
    """What was said about an order, newest first. `next` is the `after` of the next page."""
    return reading.talk_of(ctx, order_id, query["after"], query["limit"])


@api.post(
    "/orders/<uuid:order_id>/messages",
    permission="order.message",
    body=MessageIn,
    answer=MessageAnswer,
    status=201,
    idempotent=True,
)
def write(ctx: Context, order_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Leave a note for the own side, or a message for both. It is never changed or removed."""
    row = write_message(ctx, order_id, body["text"], body["audience"], _attachment(body["attachment"]))
    return {
        "id": row.id, "side": row.side, "author": row.author, "text": row.text, "audience": body["audience"],
        "file_id": row.file_id, "file_name": row.file_name, "at": row.at,
    }  # fmt: skip


@api.post(
    "/orders/<uuid:order_id>/messages/read", permission="order.message", body=ReadIn, answer=ReadAnswer, idempotent=True
)
def read_messages(ctx: Context, order_id: UUID, body: dict[str, Any]) -> dict[str, bool]:
    """Say that the other side's messages are read up to this one, so nobody of the own side is asked again."""
    return {"done": mark_read(ctx, order_id, body["message_id"])}


def _attachment(given: Mapping[str, str] | None) -> Attachment | None:
    if given is None:
        return None
    try:
        return Attachment(given["name"], base64.b64decode(given["content"], validate=True))
    except (binascii.Error, ValueError):
        raise Invalid.one("attachment", "file.not_base64") from None

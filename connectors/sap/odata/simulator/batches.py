"""`$batch` on the server's side: parts in order, change sets all or nothing, one error part for a set that failed."""

from __future__ import annotations

import email
import email.policy
from email.message import Message
from http import HTTPStatus
from typing import TYPE_CHECKING

from connectors.sap.odata.simulator.shapes import Refused, error_json
from tongshang.simulate import Call, Reply

if TYPE_CHECKING:
    from connectors.sap.odata.simulator.gateway import Gateway

EOL = "\r\n"
CHANGES = frozenset({"PATCH", "PUT", "MERGE"})
OUTER, INNER = "ejjeeffe0", "ejjeeffe1"
LOCKED = "is currently being processed (by user MUELLER)"


def answer(gateway: Gateway, call: Call, most: int | None) -> Reply:
    """The answer of a whole batch; `most` lets only that many change sets through, the others find a lock."""
    message = _message(call.headers.get("content-type", ""), call.body)
    if not message.is_multipart():
        raise Refused(400, "/IWBEP/CM_MGW_RT/058", "The batch is no multipart body")
    parts: list[bytes] = []
    done = 0
    for part in message.get_payload():
        assert isinstance(part, Message)
        if part.get_content_type() == "multipart/mixed":
            shut = most is not None and done >= most
            parts.append(_change_set(gateway, call, part, shut))
            done += 1
        else:
            parts.append(_headed(_one(gateway, call, part)))
    body = b"".join(f"--{OUTER}{EOL}".encode() + part + EOL.encode() for part in parts)
    body += f"--{OUTER}--{EOL}".encode()
    return Reply(body, 202, {"DataServiceVersion": "2.0"}, f"multipart/mixed; boundary={OUTER}")


def _change_set(gateway: Gateway, call: Call, part: Message, shut: bool) -> bytes:
    requests = [one for one in part.get_payload() if isinstance(one, Message)]
    saved = gateway.books.saved() if len(requests) > 1 else None
    answers: list[bytes] = []
    changes = 0
    for request in requests:
        if shut:
            return _headed(_error(Refused(400, "V1/042", f"The document {LOCKED}")))
        try:
            inside = _call(call, request)
            changes += inside.method in CHANGES
            if inside.method == "GET":
                raise Refused(400, "/IWBEP/CM_MGW_RT/061", "A change set holds no reads")
            if changes > 1 and "SALES" in call.path.upper():
                raise Refused(400, "/IWBEP/CM_MGW_RT/062", "Sales documents take one change per change set")
            answers.append(_http(gateway.request(inside), request.get("Content-ID", "")))
        except Refused as refused:
            if saved is not None:
                gateway.books.restore(saved)
            return _headed(_error(refused))
    inner = b"".join(f"--{INNER}{EOL}".encode() + one + EOL.encode() for one in map(_headed, answers))
    inner += f"--{INNER}--{EOL}".encode()
    head = f"Content-Type: multipart/mixed; boundary={INNER}{EOL}Content-Length: {len(inner)}{EOL}{EOL}"
    return head.encode() + inner


def _one(gateway: Gateway, call: Call, part: Message) -> bytes:
    request = _call(call, part)
    if request.method != "GET":
        return _error(Refused(400, "/IWBEP/CM_MGW_RT/059", "A write needs a change set"))
    try:
        return _http(gateway.request(request), "")
    except Refused as refused:
        return _error(refused)


def _call(outer: Call, part: Message) -> Call:
    """The request that a part of type application/http holds."""
    from connectors.sap.odata.simulator.gateway import call_of

    raw = part.get_payload(decode=True)
    assert isinstance(raw, bytes)
    line, _, rest = raw.lstrip(b"\r\n").partition(b"\n")
    try:
        method, path, _ = line.decode().split()
    except ValueError:
        raise Refused(400, "/IWBEP/CM_MGW_RT/060", "A part has no request line") from None
    head, _, body = rest.replace(b"\r\n", b"\n").partition(b"\n\n")
    headers = dict(line.decode().split(":", 1) for line in head.splitlines() if b":" in line)
    told = {name.strip().lower(): value.strip() for name, value in headers.items()}
    length = told.get("content-length", "")
    body = body[: int(length)] if length.isdecimal() else body.strip()
    return call_of(outer, method, path, told, body)


def _message(content_type: str, body: bytes) -> Message:
    head = f"Content-Type: {content_type}{EOL}MIME-Version: 1.0{EOL}{EOL}".encode()
    return email.message_from_bytes(head + body, policy=email.policy.compat32)


def _http(reply: Reply, id: str) -> bytes:
    head = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    head += [f"{name}: {value}" for name, value in reply.headers.items() if isinstance(value, str)]
    head += [f"Content-Type: {reply.content_type}"] if reply.body else []
    head += [f"Content-Length: {len(reply.body)}"] + ([f"Content-ID: {id}"] if id else [])
    return (EOL.join(head) + EOL + EOL).encode() + reply.body + EOL.encode()


def _headed(http: bytes) -> bytes:
    head = f"Content-Type: application/http{EOL}Content-Length: {len(http)}{EOL}"
    return (head + f"content-transfer-encoding: binary{EOL}{EOL}").encode() + http


def _error(refused: Refused) -> bytes:
    reply = Reply(error_json(refused, 2, "en"), refused.status, {}, "application/json;charset=utf-8")
    return _http(reply, "")

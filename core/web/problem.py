"""Every failure as RFC 9457 says it: a stable code, the sentence in the reader's language, field paths, a trace id."""

from typing import Any

from flask import Response, g, json, request

from core.kernel import FieldError, Invalid, Refused
from core.web.i18n import gettext

TITLES = {
    400: "Bad request",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    412: "Version has changed",
    413: "Too large",
    415: "Unsupported media type",
    422: "Input needs mending",
    428: "Version required",
    429: "Too many requests",
    500: "Internal error",
    503: "Try again later",
}


class Rejected(Refused):
    """A request the furniture itself turns away (headers, encodings, limits), with its status."""

    def __init__(self, status: int, code: str, **values: Any) -> None:
        super().__init__(code, **values)
        self.status = status


def sentence(code: str, values: dict[str, Any]) -> str:
    """The sentence of a code in the reader's language, with its values filled in."""
    return gettext(code, **{name: _shown(value) for name, value in values.items()})


def _shown(value: Any) -> Any:
    return f"{value:f}" if hasattr(value, "as_tuple") else value


def body_of(refused: Refused) -> dict[str, Any]:
    """The problem document of a refusal."""
    body: dict[str, Any] = {
        "type": f"urn:tongshang:problem:{refused.code}",
        "title": gettext(TITLES.get(refused.status) or TITLES[500 if refused.status >= 500 else 400]),
        "status": refused.status,
        "detail": sentence(refused.code, refused.values),
        "code": refused.code,
        "trace_id": g.get("trace_id", ""),
    }
    if refused.field:
        body["field"] = refused.field
    if isinstance(refused, Invalid) and refused.errors:
        body["errors"] = [
            {"path": error.path, "code": error.code, "detail": sentence(error.code, error.values)}
            for error in refused.errors
        ]
    return body


def problem(refused: Refused) -> Response:
    """The JSON answer to a refusal."""
    response = Response(json.dumps(body_of(refused)), status=refused.status, mimetype="application/problem+json")
    if refused.status in (429, 503):
        response.headers["Retry-After"] = str(refused.values.get("retry_after", 1))
    if refused.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def wants_json() -> bool:
    return request.path.startswith("/api/")


def field_errors(messages: Any, path: str = "") -> list[FieldError]:
    """Flatten marshmallow's nested messages into `lines.0.quantity` paths. Unknown wordings keep their own text."""
    if isinstance(messages, dict):
        found = []
        for key, value in messages.items():
            here = path if key == "_schema" else f"{path}.{key}" if path else str(key)
            found += field_errors(value, here)
        return found
    if isinstance(messages, list):
        return [error for message in messages for error in field_errors(message, path)]
    return [FieldError(path, _code_of(str(messages)), {})]


_MARSHMALLOW = {
    "Missing data for required field.": "field.required",
    "Unknown field.": "field.unknown",
    "Field may not be null.": "field.required",
    "Not a valid string.": "text.not_text",
    "Not a valid UUID.": "id.not_an_id",
    "Not a valid integer.": "number.not_whole",
    "Not a valid boolean.": "boolean.not_yes_or_no",
    "Not a valid date.": "date.not_a_date",
    "Not a valid datetime.": "date.not_a_time",
    "Not a valid list.": "list.not_a_list",
    "Not a valid email address.": "email.not_an_address",
    "Invalid input type.": "input.wrong_type",
}


def _code_of(message: str) -> str:
    if message in _MARSHMALLOW:
        return _MARSHMALLOW[message]
    if message.startswith(("Longer than", "Length must", "Shorter than")):
        return "text.wrong_length"
    if message.startswith("Must be one of"):
        return "choice.unknown"
    if message.startswith("Must be"):
        return "number.out_of_range"
    return message

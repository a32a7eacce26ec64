"""OpenAPI 3.1 made from the schemas the code runs on, so the reference cannot drift from the behaviour."""

import re
from dataclasses import dataclass
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_cls

from core import __version__
from core.web import schema as own
from core.web.api import PREFIX
from core.web.endpoint import Endpoint
from core.web.schema import Schema

_CONVERTERS = {"uuid": {"type": "string", "format": "uuid"}, "int": {"type": "integer", "minimum": 0}}


class Problem(Schema):
    """RFC 9457: what happened, to what, and the code to rely on."""

    type = own.Fields.Text(required=True)
    title = own.Fields.Text(required=True)
    status = own.Fields.Integer(required=True)
    detail = own.Fields.Text(required=True)
    code = own.Fields.Text(required=True)
    trace_id = own.Fields.Text(required=True)
    field = own.Fields.Text()
    errors = own.Fields.List(own.Fields.Dict())


def _problems(endpoint: Endpoint) -> list[int]:
    statuses = {400, 429, 500, 503}
    if not endpoint.public or endpoint.body:
        statuses |= {401, 403}
    if not endpoint.public:
        statuses |= {404}
    if endpoint.method != "GET":
        statuses |= {409, 413, 422}
    if endpoint.body:
        statuses |= {415}
    if endpoint.query:
        statuses |= {422}
    if endpoint.if_match:
        statuses |= {412, 428}
    return sorted(statuses)


def _ours(endpoint: Endpoint) -> bool:
    """Whether a route speaks our JSON. Where other systems call us they speak their own, so it is not described here."""
    return endpoint.kind == "api" and endpoint.path.startswith(PREFIX)


def document(endpoints: list[Endpoint], words: Any = None) -> dict[str, Any]:
    """The whole description of the JSON API."""
    plugin = MarshmallowPlugin(schema_name_resolver=_name)
    spec = APISpec(
        title="Tongshang 通商",
        version=__version__,
        openapi_version="3.1.0",
        plugins=[plugin],
        info={
            "description": "Everything the portal does. Authenticate with `Authorization: Bearer <API key or session token>`."
        },
    )
    converter = plugin.converter
    if converter is None:  # apispec sets it when the plugin joins a spec
        raise RuntimeError("apispec has no marshmallow converter")
    for kind in (own.MoneyField, own.PriceField, own.QuantityField, own.DecimalText):
        converter.map_to_openapi_type(kind, "string", "decimal")
    converter.map_to_openapi_type(own.TextField, "string", None)
    converter.add_attribute_function(_digits)
    spec.components.security_scheme("key", {"type": "http", "scheme": "bearer"})
    spec.components.schema("Problem", schema=Problem)
    for endpoint in endpoints:
        if _ours(endpoint):
            spec.path(path=_path(endpoint.path), operations={endpoint.method.lower(): _operation(endpoint)})
    return _sorted(spec.to_dict())


def _digits(_converter: Any, field: Any, **_: Any) -> dict[str, str]:
    return {"pattern": own.PLAIN_DECIMAL} if isinstance(field, own.DecimalText) else {}


def _name(schema: Any) -> str:
    """`orders.OrderIn`: two rooms may call different things by one name."""
    kind = resolve_schema_cls(schema)
    if isinstance(kind, list):
        raise ValueError(f"{schema} is not one schema")
    room = kind.__module__.split(".")[1]
    return kind.__name__ if room == "web" else f"{room}.{kind.__name__}"


@dataclass(frozen=True)
class Operation:
    """One call as the reference page shows it; `body` and `answer` name schemas."""

    method: str
    path: str
    summary: str
    permission: str
    body: tuple[str, ...]
    answer: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    name: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True)
class Reference:
    """The browsable reference: every call, by room."""

    groups: tuple[Group, ...]


def reference(endpoints: list[Endpoint]) -> Reference:
    calls = sorted(
        (each for each in endpoints if _ours(each)),
        key=lambda each: (each.room, each.path, each.method),
    )
    return Reference(
        tuple(
            Group(
                room,
                tuple(
                    Operation(
                        each.method, _path(each.path), (each.view.__doc__ or "").strip().partition("\n")[0],
                        each.permission or "", _names(each.body), _names(each.answer),
                    )
                    for each in calls
                    if each.room == room
                ),
            )
            for room in dict.fromkeys(each.room for each in calls)
        )
    )  # fmt: skip


def _names(schema: type[Schema] | None) -> tuple[str, ...]:
    return (
        tuple(f"{name}{'' if field.required else '?'}" for name, field in schema().fields.items())
        if schema
        else ()
    )


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    text = (endpoint.view.__doc__ or "").strip()
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.room}_{endpoint.view.__name__}",
        "tags": [endpoint.room],
        "summary": text.partition("\n")[0],
        "description": text + (f"\n\nPermission: `{endpoint.permission}`" if endpoint.permission else ""),
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint),
        "security": [] if endpoint.public else [{"key": []}],
    }
    if endpoint.body:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": endpoint.body}},
        }
    return operation


def _parameters(endpoint: Endpoint) -> list[Any]:
    found: list[Any] = [
        {"in": "path", "name": name, "required": True, "schema": _CONVERTERS.get(kind, {"type": "string"})}
        for kind, name in re.findall(r"<(?:(\w+):)?(\w+)>", endpoint.path)
    ]
    if endpoint.query:
        found.append({"in": "query", "schema": endpoint.query})
    if endpoint.idempotent:
        found.append(
            {
                "in": "header",
                "name": "Idempotency-Key",
                "required": True,
                "schema": {"type": "string", "minLength": 1, "maxLength": 200},
            }
        )
    if endpoint.if_match:
        found.append({"in": "header", "name": "If-Match", "required": True, "schema": {"type": "string"}})
    return found


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done"}
    if endpoint.raw:
        good["content"] = {endpoint.raw: {"schema": {"type": "string"}}}
    elif endpoint.answer and endpoint.status != 204:
        answer: Any = {"type": "array", "items": endpoint.answer} if endpoint.many else endpoint.answer
        good["content"] = {"application/json": {"schema": answer}}
    responses: dict[str, Any] = {str(endpoint.status): good}
    for status in _problems(endpoint):
        responses[str(status)] = {
            "description": "Problem",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    if endpoint.method == "GET":
        responses["304"] = {"description": "Not changed"}
    return responses


def _path(rule: str) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def _sorted(spec: dict[str, Any]) -> dict[str, Any]:
    spec["paths"] = dict(sorted(spec["paths"].items()))
    return spec

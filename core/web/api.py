"""JSON endpoints: `Api` collects them per room, with what OpenAPI needs, and runs each through the same door."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flask import Blueprint, Flask, Response, request
from marshmallow import ValidationError

from core.kernel import Context, Invalid, read_json
from core.web.dumping import dumper, written
from core.web.endpoint import Answer, Endpoint, check_answer
from core.web.platform import platform
from core.web.problem import Rejected, field_errors
from core.web.schema import Schema
from core.web.visit import fingerprint, idempotency_key, inside, outside

PREFIX = "/api/v1"
MAX_DEPTH = 32


class Api:
    """The JSON routes of one room or plugin, all under `/api/v1`."""

    def __init__(self, room: str) -> None:
        self.room = room
        self.endpoints: list[Endpoint] = []

    def get(self, path: str, **promises: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return self._route("GET", path, promises)

    def post(self, path: str, **promises: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return self._route("POST", path, promises)

    def put(self, path: str, **promises: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return self._route("PUT", path, promises)

    def delete(self, path: str, **promises: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return self._route("DELETE", path, promises)

    def _route(self, method: str, path: str, promises: dict[str, Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        promises.setdefault("permission", None)

        def register(view: Callable[..., Any]) -> Callable[..., Any]:
            self.endpoints.append(Endpoint(self.room, "api", method, PREFIX + path, view, **promises))
            return view

        return register

    def register(self, app: Flask) -> None:
        blueprint = Blueprint(f"api_{self.room}", __name__)
        for endpoint in self.endpoints:
            blueprint.add_url_rule(
                endpoint.path,
                endpoint=_named(endpoint),
                view_func=_runner(endpoint),
                methods=[endpoint.method],
                provide_automatic_options=False,
            )
        app.register_blueprint(blueprint)
        app.extensions["ts"].take(blueprint.name, [(each, _named(each)) for each in self.endpoints])


class Whole(Response):
    """A text that is complete and has its length already: nothing is left to find out, so its headers are not copied."""

    def get_wsgi_headers(self, environ: Any) -> Any:
        return self.headers


def _named(endpoint: Endpoint) -> str:
    return f"{endpoint.view.__name__}_{endpoint.method.lower()}"


def _runner(endpoint: Endpoint) -> Callable[..., Response]:
    body_schema = endpoint.body() if endpoint.body else None
    query_schema = endpoint.query() if endpoint.query else None
    dump = dumper(endpoint.answer(), endpoint.many) if endpoint.answer else None

    def run(**path: Any) -> Response:
        if endpoint.public:
            return outside(lambda visit: _respond(endpoint, dump, endpoint.view(visit, **arguments(path))))
        response = inside(endpoint, platform().by_key, lambda ctx: work(ctx, path))
        if response is None:
            raise Rejected(401, "identity.key_required")
        return response

    def arguments(path: dict[str, Any]) -> dict[str, Any]:
        given = dict(path)
        if query_schema is not None:
            given["query"] = dict(_asked(query_schema, request.query_string))
        if body_schema is not None:
            given["body"] = _load(body_schema, _json())
        if endpoint.if_match:
            given["version"] = _if_match()
        return given

    def work(ctx: Context, path: dict[str, Any]) -> Response:
        given = arguments(path)
        if not endpoint.idempotent:
            return _respond(endpoint, dump, endpoint.view(ctx, **given))
        key, route = idempotency_key(), f"{endpoint.method} {request.path}"
        answers = platform().answers
        stored = answers.begin(ctx, route, key, fingerprint(route, request.get_data()))
        if stored is not None:
            return Response(stored[1], status=stored[0], mimetype="application/json", headers={"Idempotency-Replayed": "true"})
        response = _respond(endpoint, dump, endpoint.view(ctx, **given))
        answers.finish(ctx, route, key, response.status_code, response.get_data(as_text=True))
        return response

    return run


def _respond(endpoint: Endpoint, dump: Callable[[Any], Any] | None, result: Any) -> Response:
    if isinstance(result, Response):
        return result
    answer = check_answer(endpoint, result)
    status = answer.status or endpoint.status
    if answer.etag is not None and request.method == "GET" and str(answer.etag) in request.if_none_match:
        return Response(status=304, headers={"ETag": f'"{answer.etag}"'})
    data = dump(answer.data) if dump is not None else answer.data
    kind, text = (Response, b"") if status == 204 else (Whole, written(data))
    response = kind(text, status=status, mimetype="application/json")
    if answer.etag is not None:
        response.set_etag(str(answer.etag))
    response.headers.extend(dict(answer.headers))
    return response


def _load(schema: Schema, data: Any) -> Any:
    try:
        return schema.load(data)
    except ValidationError as wrong:
        raise Invalid(field_errors(wrong.messages)) from None


@lru_cache(maxsize=2048)
def _asked(schema: Schema, _query: bytes) -> dict[str, Any]:
    """What the query of this request means. The same words mean the same, and programs ask the same thing again and again."""
    return _load(schema, {name: values[0] if len(values) == 1 else values for name, values in request.args.lists()})


def _json() -> Any:
    if request.mimetype != "application/json":
        raise Rejected(415, "input.not_json_type")
    raw = request.get_data()
    try:
        data = read_json(raw.decode("utf-8"))
    except ValueError:
        raise Rejected(400, "input.not_json") from None
    if _depth(data) > MAX_DEPTH:
        raise Rejected(400, "input.too_deep", depth=MAX_DEPTH)
    if not isinstance(data, dict):
        raise Rejected(400, "input.not_an_object")
    return data


def _depth(data: Any) -> int:
    deepest, frontier = 0, [(data, 1)]
    while frontier:
        item, level = frontier.pop()
        deepest = max(deepest, level)
        if level > MAX_DEPTH:
            break
        children = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        frontier.extend((child, level + 1) for child in children)
    return deepest


def _if_match() -> int:
    etags = request.if_match
    if not request.headers.get("If-Match"):
        raise Rejected(428, "version.required")
    for tag in etags.as_set():
        if tag and tag.isascii() and tag.isdigit() and len(tag) < 10:
            return int(tag)
    raise Rejected(412, "version.changed")


__all__ = ["PREFIX", "Answer", "Api"]

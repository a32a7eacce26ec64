"""HTML endpoints: `Pages` collects them per room and runs each through the same door as the API, with CSRF on top."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, g, make_response, request, url_for
from flask import redirect as flask_redirect

from core.kernel import Context, Refused
from core.web.csrf import check_csrf
from core.web.endpoint import Endpoint
from core.web.flash import flash
from core.web.platform import platform
from core.web.problem import Rejected, sentence
from core.web.visit import fingerprint, inside, outside


class Pages:
    """The HTML routes of one room or plugin under one prefix; endpoint names are `<room>.<function>`."""

    def __init__(self, room: str, prefix: str = "", template_folder: str | None = None) -> None:
        self.room, self.prefix, self.template_folder = room, prefix, template_folder
        self.endpoints: list[Endpoint] = []

    def get(self, path: str, **promises: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return self._route("GET", path, promises)

    def post(self, path: str, **promises: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return self._route("POST", path, promises)

    def _route(self, method: str, path: str, promises: dict[str, Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        promises.setdefault("permission", None)

        def register(view: Callable[..., Any]) -> Callable[..., Any]:
            self.endpoints.append(Endpoint(self.room, "page", method, self.prefix + path, view, **promises))
            return view

        return register

    def register(self, app: Flask) -> None:
        blueprint = Blueprint(self.room, __name__, template_folder=self.template_folder)
        for endpoint in self.endpoints:
            blueprint.add_url_rule(
                endpoint.path or "/",
                endpoint=endpoint.view.__name__,
                view_func=_runner(endpoint),
                methods=[endpoint.method],
                provide_automatic_options=False,
            )
        app.register_blueprint(blueprint)
        app.extensions["ts"].take(blueprint.name, [(each, each.view.__name__) for each in self.endpoints])


def form() -> dict[str, str]:
    """The fields of the posted form, one value each, without the furniture's own."""
    return {name: value for name, value in request.form.items() if not name.startswith("_")}


def redirect(endpoint: str, **values: Any) -> Response:
    """After a change: go and read the result (303)."""
    return flask_redirect(url_for(endpoint, **values), code=303)  # type: ignore[return-value]


def _runner(endpoint: Endpoint) -> Callable[..., Response]:
    def run(**path: Any) -> Response:
        if endpoint.public:
            return outside(lambda visit: _public(endpoint, visit, path))
        try:
            response = inside(endpoint, platform().by_cookie, lambda ctx: work(ctx, path))
        except Refused as refused:
            if refused.code == "identity.step_up":
                return redirect("identity.step_up", next=request.full_path)
            if endpoint.method == "POST" and refused.status in (409, 422):
                return _back_with(refused)
            raise
        if response is None:
            return _to_sign_in()
        return response

    def work(ctx: Context, path: dict[str, Any]) -> Response:
        if endpoint.method != "POST":
            return make_response(endpoint.view(ctx, **path))
        check_csrf(g.principal)
        key = request.form.get("_key", "")
        if not endpoint.idempotent or not key:
            return make_response(endpoint.view(ctx, **path))
        route = f"POST {request.path}"
        answers = platform().answers
        stored = answers.begin(ctx, route, key[:200], fingerprint(route, repr(sorted(form().items())).encode()))
        if stored is not None:
            return flask_redirect(stored[1], code=303)  # type: ignore[return-value]
        response = make_response(endpoint.view(ctx, **path))
        answers.finish(ctx, route, key[:200], response.status_code, response.headers.get("Location", request.path))
        return response

    return run


def _public(endpoint: Endpoint, visit: Any, path: dict[str, Any]) -> Response:
    if endpoint.method == "POST":
        check_csrf(None, platform().by_cookie(visit.session))  # a signed-in reader may post to a public page too
    return make_response(endpoint.view(visit, **path))


def _to_sign_in() -> Response:
    if request.method == "GET":
        wanted = request.full_path.rstrip("?")
        return flask_redirect(url_for("identity.signin", next=wanted), code=303)  # type: ignore[return-value]
    if request.headers.get("HX-Request"):
        raise Rejected(401, "identity.session_ended")
    return flask_redirect(url_for("identity.signin"), code=303)  # type: ignore[return-value]


def _back_with(refused: Refused) -> Response:
    """A refused act: say why on the page it came from, where nothing was lost."""
    errors = getattr(refused, "errors", [])
    text = "; ".join(sentence(error.code, error.values) for error in errors) or sentence(refused.code, refused.values)
    flash(text, tone="bad")
    came_from = urlsplit(request.referrer or "")
    target = came_from.path if came_from.netloc == request.host else "/"
    if came_from.netloc == request.host and came_from.query:
        target += "?" + came_from.query
    return flask_redirect(target, code=303)  # type: ignore[return-value]

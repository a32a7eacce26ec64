"""Where other systems knock: `/connect/<token>/...`, without a session; the token in the address is the way in."""

from datetime import UTC, datetime

from flask import Response, request

from core.sync.inbox.taking import Inbox
from core.sync.pushed import Push
from core.sync.registry import connectors
from core.web import Api
from core.web.endpoint import Endpoint
from core.web.visit import Visit

REASON = "another system has no session; the token in the address opens one connection, its connector checks the signature"
LARGEST = 2 * 1024 * 1024  # bytes of one call


def open_door(api: Api) -> None:
    """Add the routes. They stand beside `/api/v1`: their shape is the other system's, not ours."""
    for path, view in (("/connect/<token>", knock), ("/connect/<token>/<path:rest>", knock_inside)):
        api.endpoints.append(
            Endpoint(api.room, "api", "POST", path, view, permission=None, public=REASON, most=LARGEST)
        )


def knock(visit: Visit, token: str) -> Response:
    """A call of another system, at the connection's own address; answered in its own format."""
    return _answered(visit, token, "")


def knock_inside(visit: Visit, token: str, rest: str) -> Response:
    """A call of another system, at a path behind the connection's own address."""
    return _answered(visit, token, rest)


def _answered(visit: Visit, token: str, rest: str) -> Response:
    unit = visit.platform.unit
    push = Push(
        method=request.method,
        path=rest,
        query=request.args.to_dict(),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_data(cache=False),
        at=datetime.now(UTC),
    )
    answer = Inbox(unit, connectors()).take(token, push)
    return Response(answer.body, status=answer.status, content_type=answer.content_type)

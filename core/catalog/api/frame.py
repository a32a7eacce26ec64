"""What the endpoints of this room share: their collection, and how a file leaves."""

from flask import Response

from core.web import Api

api = Api("catalog")


def csv_file(name: str, content: bytes) -> Response:
    """A CSV file to save, never to show."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(content, mimetype="text/csv", headers=headers)

"""What tests of pages need besides a browser."""

import re

from flask.testing import FlaskClient

PASSWORD = "seven horses over the wall"


def csrf_of(client: FlaskClient, url: str) -> str:
    """The token a page's forms carry."""
    found = re.search(r'name="_csrf" value="([^"]+)"', client.get(url).get_data(as_text=True))
    assert found
    return found.group(1)

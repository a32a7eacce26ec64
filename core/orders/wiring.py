"""What orders lend to the workbench, and the JSON routes that have folders of their own."""

from core import workbench
from core.orders import charts, waiting
from core.orders.saved import api as saved_api
from core.orders.talk import api as talk_api

ROUTES = (saved_api.api, talk_api.api)
"""Both stand on the room's own collection, which is registered with the application after this."""


def wire() -> None:
    """Called once at start-up."""
    workbench.register_todos(waiting.todos)
    workbench.register_figures(waiting.figures)
    workbench.register_charts(charts.charts)

"""What orders lend to the workbench."""

from core import workbench
from core.orders import waiting


def wire() -> None:
    """Called once at start-up."""
    workbench.register_todos(waiting.todos)
    workbench.register_figures(waiting.figures)

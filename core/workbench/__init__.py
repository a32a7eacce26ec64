"""The workbench: what this person must do, by when. It knows no room; the rooms tell it what waits."""

from core.workbench.charts import Chart, Series, charts, register_charts
from core.workbench.todos import Figure, Todo, figures, register_figures, register_todos, waiting

__all__ = [
    "Chart",
    "Figure",
    "Series",
    "Todo",
    "charts",
    "figures",
    "register_charts",
    "register_figures",
    "register_todos",
    "waiting",
]

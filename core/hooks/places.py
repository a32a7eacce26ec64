"""The named places on pages that plugins fill: what a plugin is given there, which page it is, and how much is shown.

A place that is not listed here is not asked for; a test holds this list, the pages and the reference together.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """One slot. `subject` names the class of what `fill_slot` is given, `most` how many fragments are shown (None: all).

    What is `apart` comes after the page, each plugin's in an answer of its own, so that none of them keeps the page waiting.
    """

    name: str
    page: str
    subject: str
    shows: str
    most: int | None = None
    apart: bool = False


SLOTS = {
    place.name: place
    for place in (
        Place(
            "order:panel", "/orders/<id>", "OrderFacts", "A panel beside the lines of an order; `subject.lines` are all lines.",
            apart=True,
        ),
        Place("order:action", "/orders/<id>", "OrderFacts", "A button or form among what may be done with the order."),
        Place("order:timeline", "/orders/<id>", "OrderFacts", "Entries of the plugin's own in the history of the order."),
        Place(
            "order:line", "/orders/<id>", "LineFacts",
            "A line of text under a product of the order; asked for the first 50 lines.",
        ),
        Place("product:page", "/catalog/<sku_id>", "ListingRow", "A panel on the page of a product that is offered."),
        Place(
            "catalogue:badge", "/catalog", "Goods",
            "Once for a page of results; `subject.sku_ids` are the products on it.",
        ),
        Place("dashboard:todo", "/", "None", "What waits for the reader, under the core's own list."),
        Place("dashboard:card", "/", "None", "A card of the workbench.", apart=True),
        Place("dashboard:kpi", "/", "None", "A figure in the first row of the workbench.", most=4),
    )
}  # fmt: skip

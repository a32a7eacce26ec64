"""One search over everything: the rooms' own finds first, then those of the plugins."""

from dataclasses import dataclass
from itertools import groupby

from flask import Response, request

from core.hooks import Broken, Hit
from core.kernel import Context
from core.web import render
from core.web.platform import platform
from core.workbench.frame import pages, title_of

MOST = 100  # characters of a query; longer ones find nothing better
EACH = 5  # finds of one room or plugin


@dataclass(frozen=True)
class Finds:
    """Finds of one kind. `failed`: the plugin that should have looked is not available."""

    kind: str
    hits: tuple[Hit, ...]
    failed: bool = False


@dataclass(frozen=True)
class SearchPage:
    q: str
    found: tuple[Finds, ...]


@pages.get("/search", permission="account.own")
def search(ctx: Context) -> Response:
    """What the words find: orders, goods, partners, and whatever plugins know."""
    q = " ".join(request.args.get("q", "")[:MOST].split())
    return render("workbench/search.html", SearchPage(q, tuple(_found(ctx, q)) if q else ()))


def _found(ctx: Context, q: str) -> list[Finds]:
    hits = [hit for look in platform().searches for hit in look(ctx, q, EACH)]
    found = [Finds(kind, tuple(group)) for kind, group in groupby(hits, lambda hit: hit.kind)]
    for plugin, answer in ctx.ports.dispatch.decorate("search", ctx, query=q):
        if isinstance(answer, Broken):
            found.append(Finds(title_of(ctx, plugin), (), failed=True))
        elif answer:
            kept = tuple(hit for hit in answer if isinstance(hit, Hit))[:EACH]
            found += [
                Finds(kind or title_of(ctx, plugin), tuple(group))
                for kind, group in groupby(kept, lambda hit: hit.kind)
            ]
    return found

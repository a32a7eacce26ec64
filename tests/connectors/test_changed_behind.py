"""What changes behind a run, after its page was read, comes with the next one: of every stream that pages by id."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.generic.rest.simulator import Simulator as RestErp
from connectors.kingdee.client import Client as KingdeeClient
from connectors.kingdee.eas.simulator import Simulator as EasServer
from connectors.kingdee.simulator import DEMO_ACCOUNT
from connectors.kingdee.simulator import Simulator as KingdeeServer
from connectors.kingdee.system import Kingdee
from connectors.sap.ewm.simulator import Warehouse
from connectors.sap.ewm.system import SapEwm
from connectors.sap.odata.addresses import System
from connectors.sap.odata.client import Client
from connectors.sap.odata.link import SapLink
from connectors.sap.odata.mapping import SiteMapping
from connectors.sap.odata.simulator.gateway import Gateway
from tests.connectors.eas_house import link_to
from tests.connectors.generic_house import more_items, rest_links
from tests.connectors.sap_house import DEMO, USER, access_to, order_out
from tests.connectors.test_ewm_link import SOLD, access, http_to, sent
from tongshang.connect import Access, OutboundRule, Stream, Trace, session

NOW = datetime.now(UTC).replace(microsecond=0)
LONG_AGO, BEGUN = NOW - timedelta(days=60), NOW - timedelta(days=20)
BEHIND, NEWEST = NOW + timedelta(days=2), NOW + timedelta(days=4)
IDS = [f"M{n:03}" for n in range(7)]


@dataclass
class Scene:
    """Seven records in pages of three, all changed when the run begins or before."""

    stream: Stream
    ids: list[str]
    id: str  # the field of the row
    stamp: Callable[[str, datetime], None]
    told: Callable[[datetime], str]  # a moment as the stream's cursor says it


def _rule(server: Any) -> list[OutboundRule]:
    return [OutboundRule.parse(f"127.0.0.1:{server.port}")]


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def _zulu(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def kingdee(stack: ExitStack) -> Scene:
    server = stack.enter_context(KingdeeServer())
    server.world.merge({"materials": [{"number": id, "name": "螺栓"} for id in IDS]})
    values = {
        "way": "signed",
        "acct_id": DEMO_ACCOUNT.acct_id,
        "username": "demo",
        "app_id": DEMO_ACCOUNT.app_id,
    }
    http = stack.enter_context(session(_rule(server)))
    link = Kingdee().open(Access(server.url, "100", values, {"app_secret": DEMO_ACCOUNT.app_secret}), http)
    link.trace = Trace(100)

    def stamp(id: str, at: datetime) -> None:
        head = server.store.by_number("BD_MATERIAL", id).head
        head |= {"FModifyDate": _iso(at), "FApproveDate": _iso(min(at, NEWEST - timedelta(days=1)))}

    return Scene(link.stream("products"), IDS, "FNumber", stamp, _iso)


def eas(stack: ExitStack) -> Scene:
    server = stack.enter_context(EasServer())
    server.books.merge({"materials": [{"number": id, "name": "螺栓", "unit": "PCS"} for id in IDS]})
    link = link_to(server)
    stack.callback(link.close)

    def told(at: datetime) -> str:
        return at.strftime("%Y-%m-%d %H:%M:%S")

    def stamp(id: str, at: datetime) -> None:
        server.books._base["materials"][id]["lastUpdateTime"] = told(at)

    return Scene(link.stream("products"), IDS, "number", stamp, told)


def _sap(stack: ExitStack) -> tuple[Gateway, SapLink]:
    gateway = stack.enter_context(Gateway())
    http = stack.enter_context(session(_rule(gateway)))
    client = Client(http, System(gateway.url, DEMO.client), USER, trace=Trace(100), timeout=(2, 2))
    return gateway, SapLink(client, SiteMapping(access_to(gateway)))


def sap_products(stack: ExitStack) -> Scene:
    gateway, link = _sap(stack)
    gateway.load({"materials": [{"number": id, "zh": "螺栓", "unit": "PC"} for id in IDS]})
    rows = gateway.books.tables["A_Product"]

    def stamp(id: str, at: datetime) -> None:
        row = rows[(id,)]
        row |= {"LastChangeDateTime": at, "CreationDate": LONG_AGO.date()}

    return Scene(link.stream("products"), sorted(id for (id,) in rows), "Product", stamp, _zulu)


def sap_partners(stack: ExitStack) -> Scene:
    """By the day."""
    gateway, link = _sap(stack)
    gateway.load({"customers": [{"number": id, "name": "锡安达", "created": "2020-01-05"} for id in IDS]})
    rows = gateway.books.tables["A_BusinessPartner"]

    def stamp(id: str, at: datetime) -> None:
        rows[(id,)] |= {"LastChangeDate": at.date(), "LastChangeTime": "PT11H30M00S"}

    ids = sorted(id for (id,) in rows)
    return Scene(link.stream("partners"), ids, "BusinessPartner", stamp, lambda at: f"{at.date()}T11:30:00")


def _ewm(stack: ExitStack) -> tuple[Warehouse, Any]:
    warehouse = stack.enter_context(Warehouse())
    link = SapEwm().open(access(warehouse), stack.enter_context(http_to(warehouse)))
    link.trace, link.before_write = Trace(100), lambda: None
    return warehouse, link


def ewm_issues(stack: ExitStack) -> Scene:
    warehouse, link = _ewm(stack)
    for no in range(7):
        warehouse.world.sell(f"TS-{no}", SOLD)
        warehouse.world.issue(sent(link, order_out(f"TS-{no}"))[1].number)
    known = {each.outbound: each for each in warehouse.world.deliveries.values()}
    link.trace = Trace(100)

    def stamp(id: str, at: datetime) -> None:
        known[id].changed = at

    stream = link.stream("deliveries")
    return Scene(stream, sorted(known), "OutboundDeliveryOrder", stamp, _zulu)


def ewm_receipts(stack: ExitStack) -> Scene:
    """By the day."""
    warehouse, link = _ewm(stack)
    arrivals = warehouse.world.arrivals
    for id in IDS:
        known = {"DeliveryDocument": id, "DeliveryDocumentBySupplier": f"SH-{id}-ABCD", "Supplier": "V-7"}
        known |= {"OverallPickingStatus": "C", "OverallGoodsMovementStatus": "C"}
        arrivals[id] = {**known, "ActualGoodsMovementDate": None, "LastChangeDateTime": BEGUN, "items": {}}

    def stamp(id: str, at: datetime) -> None:
        arrivals[id]["LastChangeDate"] = at.date()

    stream = link.stream("receipts")
    return Scene(stream, IDS, "DeliveryDocument", stamp, lambda at: str(at.date()))


def rest(stack: ExitStack) -> Scene:
    server = stack.enter_context(RestErp())
    more_items(server, 7)
    rows = {row["no"]: row for row in server.books.lists["items"]}
    stream = stack.enter_context(rest_links(server))(page_size="3").stream("products")

    def stamp(id: str, at: datetime) -> None:
        rows[id]["updated"] = _iso(at)

    return Scene(stream, list(rows), "no", stamp, _iso)


# Those that can be asked for their newest change.
ASKED = (kingdee, sap_products, sap_partners, ewm_issues, ewm_receipts)


@pytest.fixture(params=[*ASKED, eas, rest], ids=lambda make: make.__name__)
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    with ExitStack() as stack:
        made: Scene = request.param(stack)
        for id in made.ids:
            made.stamp(id, BEGUN)
        made.stream.size = 3  # type: ignore[attr-defined]
        yield made


def _listen(scene: Scene, asked: list[str]) -> None:
    """Note each question whose order is by a stamp."""
    client = scene.stream.client  # type: ignore[attr-defined]
    name = "query" if isinstance(client, KingdeeClient) else "page"
    plain = getattr(client, name)

    def heard(*told: Any, **more: Any) -> Any:
        asked.extend(part for part in map(str, told) if " desc" in part.lower())
        return plain(*told, **more)

    setattr(client, name, heard)


def ids_of(scene: Scene, cursor: str | None, position: str | None = None) -> list[str]:
    return [row[scene.id] for page in scene.stream.pull(cursor, position) for row in page.rows]


@pytest.mark.parametrize("stopped", [False, True], ids=["in one go", "stopped"])
def test_what_changes_behind_a_run_comes_with_the_next(scene, stopped):
    run = scene.stream.pull(None, None)
    first = next(run)
    behind = first.rows[0][scene.id]
    assert scene.ids[-1] not in [row[scene.id] for row in first.rows]
    scene.stamp(behind, BEHIND)
    scene.stamp(scene.ids[-1], NEWEST)
    *_, end = scene.stream.pull(None, first.position) if stopped else run
    assert end.cursor == scene.told(BEGUN)
    again = ids_of(scene, end.cursor)
    assert {behind, scene.ids[-1]} <= set(again)


def test_a_run_begun_before_there_were_ceilings_leaves_its_cursor_where_it_was(scene):
    first = next(scene.stream.pull(None, None))
    before, _ceiling = json.loads(first.position)
    for cursor in (None, scene.told(LONG_AGO)):
        pages = list(scene.stream.pull(cursor, before))
        assert len([row for page in pages for row in page.rows]) >= 4
        assert {page.cursor for page in pages} == {cursor}


@pytest.mark.parametrize("scene", ASKED, indirect=True, ids=lambda make: make.__name__)
def test_a_run_of_one_page_asks_for_nothing_more_and_a_longer_one_once(scene):
    scene.stamp(scene.ids[-1], NEWEST)
    asked: list[str] = []
    _listen(scene, asked)
    scene.stream.size = 100
    (page,) = scene.stream.pull(None, None)
    assert page.cursor == scene.told(NEWEST) and asked == []
    scene.stream.size = 3
    pages = list(scene.stream.pull(None, None))
    assert len(pages) >= 3 and {each.cursor for each in pages} == {page.cursor}
    list(scene.stream.pull(None, pages[0].position))
    assert len(asked) == 1


def test_a_run_that_sees_nothing_new_leaves_no_page_and_so_its_cursor(scene):
    assert ids_of(scene, scene.told(NOW + timedelta(days=1))) == []

"""The pages and the API of a mapping, without a script: tables, rules, preview, values without a counterpart, versions."""

import io
import json
import re
from html import unescape

import pytest

from core.sync.mapping import service

NOTE = {"target": "FNote", "value": "'PO ' + order.buyer_po"}
LINE = {"target": "FSaleOrderEntry[].F_TS_NO", "value": "line.no", "type": "number"}


@pytest.fixture
def here(house):
    return f"/connections/{house.connection_id}/mapping"


@pytest.fixture
def sent(house, engine):
    """One order that landed, one that failed for its customer."""
    house.order("SO-1")
    house.push(engine)
    house.sql("DELETE FROM ts.external_ref")
    house.kingdee.world.merge({"customers": [{"number": "C0217", "name": "别人", "tax_code": "X"}]})
    house.order("SO-2")
    house.push(engine)
    return house


def text(client, url):
    page = client.get(url)
    told = page.get_data(as_text=True)
    assert page.status_code == 200, (url, told[:3000])
    return told


def fields(way, section, *rules):
    return {f"{way}.{section}.{no}.{key}": value for no, rule in enumerate(rules) for key, value in rule.items()}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_page_shows_in_both_languages(sent, signed_in, acting, here, language):
    acting(service.save_mapping, {"tables": {"units": {"pcs": "Pcs"}}, "out": {"sales_order": [NOTE, LINE]}}, 0)
    acting(service.save_mapping, {"tables": {"units": {"pcs": "Stk"}}, "out": {"sales_order": [NOTE]}}, 1)
    it = signed_in("it", language=language)
    for url in (here, *(f"{here}/{part}" for part in ("out", "in", "unmapped", "versions", "versions/1/undo"))):
        told = text(it, url)
        assert ("连接器" in told) == (language == "zh-CN"), url
        assert "style=" not in told and " onclick" not in told and "mapping." not in re.sub(r"<[^>]+>", " ", told), url
        if language == "zh-CN":
            words = re.sub(r"<pre.*?</pre>|<option.*?</option>|<[^>]+>", " ", told, flags=re.S)
            assert not re.search(r"\b(Rules|Target|Expression|Version|Saved|Pairs|Preview|Save|Theirs)\b", words), url


def test_tables_are_pasted_as_lines_and_kept(signed_in, post, here, acting):
    it = signed_in("it")
    typed = {"tables.units": "pcs\tPcs\r\nt = T\r\n", "new_name": "channels", "new_rows": "spot\t01", "seen": "0"}
    assert post(it, here, here, **typed).status_code == 303
    found = acting(service.read_mapping)
    assert found.document["tables"] == {"units": {"pcs": "Pcs", "t": "T"}, "channels": {"spot": "01"}}
    told = text(it, here)
    assert "pcs\tPcs" in told and "channels" in told


def test_a_wrong_line_is_shown_at_its_table_with_everything_typed(signed_in, post, here):
    it = signed_in("it")
    answer = post(it, here, here, **{"tables.units": "pcs\tPcs\nalone", "tables.taxes": "0.13\tJ1", "seen": "0"})
    told = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Line 2 has no two sides" in told and "alone" in told and "0.13\tJ1" in told
    named = post(it, here, here, **{"new_name": "No Name", "new_rows": "a\tb", "seen": "0"})
    assert named.status_code == 422 and "is no name for a table" in named.get_data(as_text=True)


def test_rules_are_kept_row_by_row_and_empty_rows_left_out(signed_in, post, here, acting):
    it = signed_in("it")
    rows = fields("out", "sales_order", NOTE, {"target": "", "value": ""}, LINE)
    assert post(it, f"{here}/out", f"{here}/out", **rows, seen="0", act="save").status_code == 303
    assert [rule["target"] for rule in acting(service.read_mapping).document["out"]["sales_order"]] == ["FNote", LINE["target"]]
    rows = fields("in", "products", {"field": "group", "value": "row['FMaterialGroup']"})
    assert post(it, f"{here}/in", f"{here}/in", **rows, seen="1", act="save").status_code == 303
    document = acting(service.read_mapping).document
    assert document["in"]["products"][0]["type"] == "text" and document["out"]


@pytest.mark.parametrize(("language", "said"), [("en", "Character 4: ** is not"), ("zh-CN", "第 4 个字符")])
def test_a_wrong_expression_is_refused_in_the_readers_language(signed_in, post, here, language, said):
    it = signed_in("it", language=language)
    rows = fields("out", "sales_order", {"target": "FNote", "value": "1+2**9"})
    answer = post(it, f"{here}/out", f"{here}/out", **rows, seen="0", act="save")
    told = unescape(answer.get_data(as_text=True))
    assert answer.status_code == 422 and said in told and "1+2**9" in told


def test_who_was_overtaken_sees_by_whom_and_keeps_what_was_typed(signed_in, post, here, acting):
    acting(service.save_mapping, {"tables": {"units": {"pcs": "Stk"}}}, 0)
    it = signed_in("it")
    answer = post(it, here, here, **{"tables.taxes": "0.13\tJ1", "seen": "0"})
    told = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "陈工 saved version 1" in told and "0.13\tJ1" in told
    assert 'name="seen" value="1"' in told


def test_rules_are_tried_before_they_are_kept(sent, signed_in, post, here, acting):
    it = signed_in("it")
    ((document,),) = sent.sql("SELECT id FROM ts.sync_document WHERE reference = 'SO-1'")
    sent.kingdee.world.merge({"customers": [{"number": "C0217", "name": "锡安达机电", "tax_code": "91350100M000100Y43"}]})
    rows = fields("out", "sales_order", NOTE, LINE)
    told = text_of(post(it, f"{here}/out", f"{here}/out", **rows, seen="0", act="order", sample=str(document)))
    assert "PO PO-77" in told and "FSaleOrderEntry[1].F_TS_NO" in told and "3 changes" in told
    assert acting(service.read_mapping).no == 0
    rows = fields("in", "products", {"field": "name", "value": "'[' + row['FNumber'] + '] ' + item.name"})
    told = text_of(post(it, f"{here}/in", f"{here}/in", **rows, seen="0", act="stream:products"))
    assert "[BRG-6204] 深沟球轴承 6204" in told and "Record there" in told


def text_of(answer):
    told = unescape(answer.get_data(as_text=True))
    assert answer.status_code == 200, told[:3000]
    return told


def test_a_system_that_does_not_answer_is_said(sent, signed_in, post, here):
    sent.kingdee.stop() if hasattr(sent.kingdee, "stop") else sent.kingdee.__exit__(None, None, None)
    told = text_of(post(signed_in("it"), f"{here}/in", f"{here}/in", seen="0", act="stream:products"))
    assert "The other system could not be asked" in told


def test_a_missing_value_is_filled_in_and_what_waited_goes_out(sent, signed_in, post, here, engine):
    it = signed_in("it")
    told = text(it, f"{here}/unmapped")
    assert "91350100M000100Y43" in told and "锡安达机电" in told
    answer = post(it, f"{here}/unmapped", f"{here}/unmapped", **{"rows.partners": "91350100M000100Y43\tC0217", "seen": "0"})
    assert answer.status_code == 303
    assert sent.push(engine) == ["done"]
    assert sent.states() == {"SO-1": "done", "SO-2": "done"}
    assert "Everything has its counterpart" in text(it, f"{here}/unmapped")


def test_nothing_filled_in_is_said(sent, signed_in, post, here):
    answer = post(signed_in("it"), f"{here}/unmapped", f"{here}/unmapped", **{"rows.partners": "X\t", "seen": "0"})
    assert answer.status_code == 422 and "No line has both sides yet" in answer.get_data(as_text=True)


def test_versions_are_compared_gone_back_to_and_carried(signed_in, post, here, acting):
    acting(service.save_mapping, {"tables": {"units": {"pcs": "Pcs"}}}, 0)
    acting(service.save_mapping, {"tables": {"units": {"pcs": "Stk"}}}, 1)
    it = signed_in("it")
    told = text(it, f"{here}/versions?older=1&newer=2")
    assert "tables.units.pcs" in told and "Stk" in told
    file = it.get(f"{here}/file?no=1")
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert post(it, f"{here}/versions/1/undo", f"{here}/versions/1/undo", seen="2").status_code == 303
    assert acting(service.read_mapping).document["tables"] == {"units": {"pcs": "Pcs"}}
    broken = file.data.replace(b'"kingdee"', b'"sap"')
    for content, status in ((broken, 422), (file.data, 303)):
        given = {"file": (io.BytesIO(content), "mapping.json"), "seen": "3"}
        assert post(it, f"{here}/versions", f"{here}/file", **given).status_code == status


def test_who_may_only_see_changes_nothing(sent, signed_in, here):
    sales = signed_in("seller.sales")
    for url in (here, f"{here}/out", f"{here}/in", f"{here}/unmapped", f"{here}/versions"):
        assert 'class="savebar"' not in text(sales, url), url
    assert sales.get(f"{here}/versions/0/undo").status_code == 403
    assert signed_in("seller.planner").get(here).status_code == 403


def test_the_api_does_what_the_pages_do(sent, app, house, fresh_db):
    from core import identity

    with house.app.system(house.seller, "test") as ctx:
        maker = identity.add_person(ctx, name="Key", email="key@acme.example", password="seven horses run", roles=("it",))
        scopes = ["connection.view", "connection.edit", "connection.replay"]
        key = identity.create_api_key(ctx, "it", scopes, created_by=getattr(maker, "id", maker)).token
    client, root = app.test_client(), f"/api/v1/connections/{house.connection_id}/mapping"

    def ask(method, path="", body=None, **headers):
        told = {"Authorization": f"Bearer {key}", **headers}
        return client.open(root + path, method=method, json=body, headers=told)

    assert ask("GET").json["no"] == 0
    document = {"tables": {"units": {"pcs": "Pcs"}}, "out": {"sales_order": [NOTE]}}
    assert ask("PUT", body={"document": document}).status_code == 428
    saved = ask("PUT", body={"document": document}, **{"If-Match": '"0"'})
    assert (saved.status_code, saved.headers["ETag"]) == (200, '"1"')
    assert ask("PUT", body={"document": document}, **{"If-Match": '"0"'}).status_code == 412
    wrong = ask("PUT", body={"document": {"out": {"sales_order": [{"target": "A", "value": "x"}]}}}, **{"If-Match": '"1"'})
    assert wrong.json["errors"][0]["path"] == "out.sales_order.0.value"
    file = json.loads(ask("GET", "/file").data)
    assert ask("POST", "/undo", {"no": 0}, **{"If-Match": '"1"'}).json["no"] == 2
    assert ask("POST", "/file", {"file": file}, **{"If-Match": '"2"'}).json["document"]["tables"] == document["tables"]
    assert [row["no"] for row in ask("GET", "/versions").json["rows"]] == [3, 2, 1]
    assert ask("GET", "/diff?older=2&newer=3").json["rows"][0]["path"] == "tables.units.pcs"
    assert ask("GET", "/unmapped").json["rows"][0]["table"] == "partners"
    tried = ask("POST", "/dry-run", {"count": 5}).json["rows"]
    assert {row["reference"]: row["code"] for row in tried}["SO-2"] == "kingdee.customer_missing"
    assert ask("POST", "/preview/in", {"stream": "products"}).json["rows"][0]["item"]["name"]
    assert ask("POST", "/preview/in", {"stream": "nothing"}).status_code == 404
    fixed = ask("POST", "/fix", {"table": "partners", "rows": "91350100M000100Y43\tC0217"}, **{"If-Match": '"3"'})
    assert fixed.json == {"no": 4, "count": 1}
    sample = tried[0]["document_id"]
    assert ask("POST", "/preview/out", {"document_id": sample}).json["body"]["FNote"] == "PO PO-77"

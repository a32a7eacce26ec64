"""The drill master's side: `/_sim` as a page that needs no JavaScript, and the same as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tongshang.simulate.practice import Call, NoSuchAct, Reply

if TYPE_CHECKING:
    from tongshang.simulate.practice import Practice

SHOWN = 50  # rows of one table
WIDEST = 200  # characters of one cell
FORM = "application/x-www-form-urlencoded"


def administer(practice: Practice, call: Call) -> Reply:
    """The answer of one call under `/_sim`; whatever was asked wrongly is said with 400 or 404."""
    what = call.path.removeprefix("/_sim").strip("/")
    # `curl -d '[...]'` says it sends a form and sends JSON.
    by_form = FORM in call.headers.get("content-type", "") and call.body.strip()[:1] not in (b"[", b"{")
    try:
        given = dict(parse_qsl(call.body.decode())) if by_form else call.json()
        found = _act(practice, call, what, given, by_form)
    except NoSuchAct:
        return _json({"error": f"no {call.method} {call.path}"}, 404)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return _json({"error": f"{type(error).__name__}: {error}"}, 400)
    if isinstance(found, Reply):
        return found
    return Reply(b"", 303, {"Location": "/_sim"}) if by_form else _json(found)


def _act(practice: Practice, call: Call, what: str, given: Any, by_form: bool) -> Reply | Mapping[str, Any]:
    faults, reads = practice.faults, call.method in ("GET", "HEAD")
    if not what and reads:
        accepts = call.headers.get("accept", "")
        wants_json = "application/json" in accepts and "text/html" not in accepts
        return overview(practice) if wants_json else _html(page(practice))
    if what == "faults":
        if call.method == "DELETE":
            faults.set([])
        elif by_form:
            _set_by_form(practice, given)
        elif not reads:
            faults.set(given if isinstance(given, list) else given.get("faults", []))
        return {"faults": faults.as_json(), "modes": faults.modes}
    if what == "seed" and call.method == "POST":
        faults.seed(int(given["seed"]))
        return {}
    if what and reads:
        return practice.admin_look(what, call.query)
    if what and call.method == "POST":
        return practice.admin_act(what, given)
    raise NoSuchAct(what)


def _set_by_form(practice: Practice, given: Mapping[str, str]) -> None:
    """The form of the page: one fault more, or none any longer."""
    if given.get("clear"):
        practice.faults.set([])
        return
    fault: dict[str, Any] = {
        "mode": given.get("mode", ""),
        "match": {name: given[name] for name in ("operation", "kind", "number") if given.get(name)},
        "commit": given.get("commit", "1") != "0",
    }
    fault |= {name: given[name] for name in ("times", "probability", "seconds") if given.get(name)}
    practice.faults.add(fault)


def overview(practice: Practice) -> dict[str, Any]:
    """Everything the page shows."""
    return {
        "title": practice.title,
        "url": practice.url,
        "logins": practice.logins(),
        "state": practice.state(),
        "calls": dict(practice.calls),
        "last": [asdict(done) for done in practice.calls.last],
        "faults": practice.faults.as_json(),
        "modes": practice.faults.modes,
    }


def encode(value: Any) -> str:
    """JSON with exact decimals; whatever JSON has no word for is written as text."""
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(k))}:{encode(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple | set | frozenset):
        return "[" + ",".join(encode(one) for one in value) + "]"
    if value is None or isinstance(value, str | int | float):
        return json.dumps(value)
    return json.dumps(str(value))


def _json(value: Mapping[str, Any], status: int = 200) -> Reply:
    return Reply(encode(value).encode(), status, content_type="application/json; charset=utf-8")


def _html(text: str) -> Reply:
    return Reply(text.encode(), content_type="text/html; charset=utf-8")


# -- the page

STYLE = """
body{font:15px/1.5 system-ui,"PingFang SC","Microsoft YaHei",sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}
table{border-collapse:collapse;margin:.5rem 0 1.5rem;display:block;overflow-x:auto}
th,td{border-bottom:1px solid #ccc;padding:.2rem .7rem;text-align:left;vertical-align:top}
form{display:flex;flex-wrap:wrap;gap:.5rem;align-items:end;margin:.5rem 0}
label{display:flex;flex-direction:column;font-size:.85rem}
input,select,button{font:inherit;padding:.2rem .4rem}
"""


def page(practice: Practice) -> str:
    """State, the last calls, the faults in force, and forms to steer by."""
    seen = overview(practice)
    last = [
        {"operation": d["operation"], "kind": d["kind"], "number": d["number"], "status": d["status"] or "—"}
        | {"ms": d["milliseconds"], "fault": d["fault"]}
        for d in reversed(seen["last"])
    ]
    faults = [{**one, "times": "∞" if one["times"] is None else one["times"]} for one in seen["faults"]]
    parts = [
        f"<h1>{escape(seen['title'])}</h1>",
        _table([{"地址 Address": seen["url"], **seen["logins"]}]),
        "<h2>故障 Faults</h2>",
        _table(faults, "没有 None"),
        _fault_form(seen["modes"]),
        *_act_forms(practice.acts),
        "<h2>最近的调用 Last calls</h2>",
        _table(last, "没有 None"),
        "<h2>状态 State</h2>",
        *(_section(name, value) for name, value in seen["state"].items()),
    ]
    head = f"<meta charset='utf-8'><title>{escape(seen['title'])}</title><style>{STYLE}</style>"
    return f"<!DOCTYPE html><html lang='zh-CN'><head>{head}</head><body>{''.join(parts)}</body></html>"


def _fault_form(modes: Mapping[str, str]) -> str:
    options = "".join(
        f"<option value='{escape(mode)}'>{escape(mode)}: {escape(said)}</option>"
        for mode, said in modes.items()
    )
    fields = [f"<label>mode<select name='mode'>{options}</select></label>"]
    fields += [_field(name) for name in ("operation", "kind", "number")]
    fields += [_field("times", "1"), _field("probability", "1"), _field("seconds", "1")]
    add = f"<form method='post' action='/_sim/faults'>{''.join(fields)}<button>设置 Set</button></form>"
    clear = "<input type='hidden' name='clear' value='1'><button>全部清除 Clear all</button>"
    return f"{add}<form method='post' action='/_sim/faults'>{clear}</form>"


def _act_forms(acts: Mapping[str, Iterable[str]]) -> list[str]:
    forms = [
        f"<form method='post' action='/_sim/{escape(act)}'><b>{escape(act)}</b>"
        f"{''.join(_field(name) for name in fields)}<button>执行 Do</button></form>"
        for act, fields in acts.items()
    ]
    return ["<h2>动作 Acts</h2>", *forms] if forms else []


def _field(name: str, value: str = "") -> str:
    return f"<label>{escape(name)}<input name='{escape(name)}' value='{escape(value)}' size='9'></label>"


def _section(name: str, value: Any) -> str:
    title = f"<h3>{escape(name)}</h3>"
    if isinstance(value, Mapping):
        return title + _table([{"": key, " ": inner} for key, inner in value.items()], "没有 None")
    if isinstance(value, list | tuple) and value and all(isinstance(row, Mapping) for row in value):
        return title + _table(value)
    return title + f"<p>{_cell(value)}</p>"


def _table(rows: Iterable[Mapping[str, Any]], empty: str = "") -> str:
    rows = list(rows)
    if not rows:
        return f"<p>{escape(empty)}</p>"
    columns = list(dict.fromkeys(str(key) for row in rows for key in row))
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(row.get(column, ''))}</td>" for column in columns) + "</tr>"
        for row in rows[:SHOWN]
    )
    more = f"<p>… {len(rows) - SHOWN} more</p>" if len(rows) > SHOWN else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(value: Any) -> str:
    if isinstance(value, list | tuple) and all(isinstance(one, str | int) for one in value):
        value = ", ".join(map(str, value))
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return escape(text if len(text) <= WIDEST else text[:WIDEST] + "…")

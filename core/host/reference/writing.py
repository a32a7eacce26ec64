"""The reference as pages of Markdown: one that lists every name, and one for each kind of thing that has more to say."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import core
from core.host.reference import contract, reading
from core.host.reference.reading import ROOT, Entry, Member

INDEX = "plugin-api.md"
FOLDER = ROOT / "docs" / "reference"
MADE = "<!-- Made by `python -m core.host.reference`; edit the docstrings, not this page. -->"
KINDS = {
    "value": ("values", "Values: facts, answers, what verbs take"),
    "class": ("classes", "Classes: tables, pages, schemas, refusals"),
    "refusal": ("classes", "Classes: tables, pages, schemas, refusals"),
    "mark": ("classes", "Classes: tables, pages, schemas, refusals"),
    "function": ("functions", "Functions: verbs, questions, tools of pages"),
    "event": ("events", "Events"),
}
SAID = {
    "declare": "Asked once at start-up. A failure keeps the plugin out: it is listed as broken, the platform starts.",
    "decide": "Asked inside the command's transaction. A failure refuses the command with 409 and names the plugin.",
    "decorate": "Asked while a page is made. A failure shows that the place is not available right now; the page stands.",
    "life": "Called when a process starts and when an enterprise switches the plugin. A failure is reported where it was asked.",
}


def pages() -> dict[Path, str]:
    """Every page of the reference, by its place."""
    door, plugins = reading.door(), contract.shipped()
    below = FOLDER / "plugin-api"
    return {
        FOLDER / INDEX: _page(_index(door)),
        below / "values.md": _page(_entries("Values", door, "value")),
        below / "classes.md": _page(_entries("Classes", door, "class", "refusal", "mark")),
        below / "functions.md": _page(_entries("Functions", door, "function")),
        below / "events.md": _page(_events(contract.events())),
        below / "hooks.md": _page(_hooks(contract.hooks())),
        below / "slots.md": _page(_slots(contract.slots().values())),
        below / "settings.md": _page(_settings(contract.settings(plugins))),
        below / "permissions.md": _page(_permissions(contract.permissions(plugins))),
    }


def write() -> list[Path]:
    """Bring every page up to date; answers those that changed."""
    changed = stale()
    for path, text in changed.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(changed)


def stale() -> dict[Path, str]:
    """The pages that are not as the source is, with what they should be."""
    return {
        path: text
        for path, text in pages().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    }


def _page(lines: Iterable[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


def _index(door: list[Entry]) -> Iterator[str]:
    yield from ("# The plugin contract, name by name", "", MADE, "")
    yield f"What `tongshang` names in {core.__version__}. [The contract on one page](hooks.md) says how it hangs together;"
    yield "[surface.json](surface.json) is the surface of the last release, which tests compare with the present one."
    yield from ("", "| more on | |", "|---|---|")
    for name, said in (
        ("hooks", "when each is asked, what it is given, what it answers, what a failure does"),
        ("slots", "the places on pages that plugins fill"),
        ("events", "what is told after a commit, with its fields"),
        ("values", "facts, answers and what verbs take"),
        ("classes", "tables, pages, schemas, refusals"),
        ("functions", "verbs, questions, tools of pages"),
        ("settings", "what enterprises set for the plugins that come with the platform"),
        ("permissions", "what is asked for, and which roles hold it from the start"),
    ):
        yield f"| [{name}](plugin-api/{name}.md) | {said} |"
    for kind, title in dict.fromkeys(KINDS.values()):
        yield from ("", f"## {title}", "")
        for each in door:
            if KINDS[each.kind] == (kind, title):
                yield f"- [`{each.name}`](plugin-api/{kind}.md#{each.name.lower()}): {each.sentence}"


def _entries(title: str, door: list[Entry], *kinds: str) -> Iterator[str]:
    yield from (f"# {title}", "", MADE, "", f"[All names](../{INDEX})")
    for each in door:
        if each.kind in kinds:
            yield from _entry(each)


def _entry(each: Entry) -> Iterator[str]:
    yield from ("", f"## {each.name}", "")
    if each.kind == "function" or (each.signature and each.kind in ("class", "refusal")):
        yield from ("```python", f"{each.name}{each.signature}", "```", "")
    yield each.doc
    told = []
    if each.kind == "value":
        told.append("Frozen." if each.frozen else "")
    if known := [base for base in each.bases if base in reading.names()]:
        told.append(f"A {', '.join(f'`{base}`' for base in known)}.")
    if told := [part for part in told if part]:
        yield from ("", " ".join(told))
    yield from _members(each.members)


def _members(members: tuple[Member, ...]) -> Iterator[str]:
    fields = [each for each in members if each.kind in ("field", "value")]
    if fields:
        yield from ("", "| field | type | |", "|---|---|---|")
        for each in fields:
            yield f"| `{each.name}` | `{_cell(each.text)}` | {_cell(each.note)} |".replace("|  |", "| |")
    rest = [each for each in members if each.kind in ("method", "property")]
    if rest:
        yield ""
        for each in rest:
            shown = f"{each.name}{each.text}" if each.kind == "method" else f"{each.name}: {each.text}"
            yield f"- `{shown}`{': ' + each.note if each.note else ''}"


def _events(events: list[Entry]) -> Iterator[str]:
    yield from ("# Events", "", MADE, "", f"[All names](../{INDEX})", "")
    yield "A handler hears an event after the commit, at least once; it is tried again with growing pauses, eight times,"
    yield "then kept as dead. Events that name a buyer and a seller are heard by the plugins of both, unless it says otherwise."
    for each in events:
        if contract.promised(each):
            yield from _event(each)
    yield from ("", "# Told inside the platform", "")
    yield "The door does not name these, so nothing is promised about them."
    for each in events:
        if not contract.promised(each):
            yield from _event(each)


def _event(each: Entry) -> Iterator[str]:
    yield from ("", f"## {each.name}", "", each.doc)
    yield from _members(tuple(member for member in each.members if member.kind == "field"))


def _hooks(hooks: list[contract.Hook]) -> Iterator[str]:
    yield from ("# Hooks", "", MADE, "", f"[The contract on one page](../hooks.md) · [All names](../{INDEX})")
    for policy, said in SAID.items():
        yield from ("", f"## {policy}", "", said)
        for each in hooks:
            if each.policy == policy:
                given = ", ".join(f"{name}: {kind}" for name, kind in each.arguments)
                yield from ("", f"### {each.name}", "", "```python", "@hookimpl")
                yield from (f"def {each.name}({given}) -> {each.answer}", "```", "", each.doc)


def _slots(slots: Iterable[Any]) -> Iterator[str]:
    yield from ("# Slots", "", MADE, "", f"[All names](../{INDEX})", "")
    yield "`fill_slot(ctx, slot, subject)` is asked for each place when its page is made; the answer is a `SlotFragment`."
    yield from ("", "| slot | page | subject | shown | what it is for |", "|---|---|---|---|---|")
    for each in slots:
        most = "all" if each.most is None else f"the first {each.most}"
        yield f"| `{each.name}` | `{each.page}` | `{each.subject}` | {most} | {each.shows} |"


def _settings(settings: list[contract.Setting]) -> Iterator[str]:
    yield from ("# Settings of the plugins that come with the platform", "", MADE, "", f"[All names](../{INDEX})")
    for plugin in dict.fromkeys(each.plugin for each in settings):
        yield from ("", f"## {plugin}", "", "| setting | type | without it | |", "|---|---|---|---|")
        for each in settings:
            if each.plugin == plugin:
                shown = "required" if each.needed else f"`{_cell(each.default)}`"
                yield f"| `{each.name}` | {each.kind} | {shown} | {_cell(f'{each.title}. {each.hint}'.strip())} |"


def _permissions(permissions: list[tuple[str, Any]]) -> Iterator[str]:
    yield from ("# Permissions", "", MADE, "", f"[All names](../{INDEX})", "")
    yield "A limited permission carries an amount: above it somebody else must decide."
    yield from ("", "| permission | what it allows | from the start | limited | brought by |", "|---|---|---|---|---|")
    for owner, each in permissions:
        held = ", ".join(each.roles)
        yield f"| `{each.code}` | {_cell(str(each.title))} | {held} | {'yes' if each.limited else ''} | {owner} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

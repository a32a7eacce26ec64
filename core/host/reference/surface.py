"""The public surface as data, and how two of them differ: what only adds to it, and what breaks those who rely on it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import Version

import core
from core.host.manifest import next_breaking
from core.host.reference import contract, reading
from core.host.reference.reading import ROOT

FROZEN = ROOT / "docs" / "reference" / "surface.json"
CHANGES = ROOT / "CHANGELOG.md"
Surface = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """One change of the surface. `name` is what the changelog must name; `breaks`: somebody's plugin may stop working."""

    name: str
    what: str
    breaks: bool


def present() -> Surface:
    """The surface as the source has it now."""
    return {
        "version": core.__version__,
        "names": {each.name: _shape(each) for each in reading.door()},
        "hooks": {
            each.name: {"policy": each.policy, "arguments": dict(each.arguments), "answers": each.answer}
            for each in contract.hooks()
        },
        "slots": {each.name: {"subject": each.subject} for each in contract.slots().values()},
    }


def released() -> Surface:
    """The surface of the last release, as it was frozen."""
    found: Surface = json.loads(FROZEN.read_text(encoding="utf-8"))
    return found


def freeze(path: Path = FROZEN) -> None:
    """Write the present surface down as the released one."""
    path.write_text(json.dumps(present(), ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _shape(entry: reading.Entry) -> dict[str, Any]:
    """What of a name others rely on; docstrings may change as they like."""
    parts = {
        "fields": {each.name: each.text for each in entry.members if each.kind == "field"},
        "members": {each.name: each.text for each in entry.members if each.kind in ("method", "property", "value")},
    }
    shape = {"kind": entry.kind, **{key: value for key, value in parts.items() if value}}
    return {**shape, "signature": entry.signature} if entry.kind == "function" else shape


def differences(old: Surface, new: Surface) -> list[Difference]:
    """What changed from one surface to another, by name."""
    found = list(_between("", old["names"], new["names"]))
    for name, hook in old["hooks"].items():
        found += _hook(name, hook, new["hooks"].get(name))
    for kind, word in (("hooks", "hook"), ("slots", "slot")):
        found += [Difference(name, f"the {word} is new", False) for name in new[kind].keys() - old[kind].keys()]
    for name, slot in old["slots"].items():
        if (now := new["slots"].get(name)) != slot:
            found.append(Difference(name, "the slot is gone" if now is None else f"its subject is now {now['subject']}", True))
    return sorted(found, key=lambda each: (each.name, each.what))


def _between(owner: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Difference]:
    for name in old.keys() - new.keys():
        yield Difference(name, "the name is gone", True)
    for name in new.keys() - old.keys():
        yield Difference(name, "the name is new", False)
    for name in old.keys() & new.keys():
        was, now = old[name], new[name]
        if was["kind"] != now["kind"]:
            yield Difference(name, f"it was a {was['kind']} and is a {now['kind']}", True)
        if (before := was.get("signature")) != (after := now.get("signature")):
            breaks = before is None or after is None or _narrower(before, after)
            yield Difference(name, f"it is called {after or 'no more'}, no longer {before or 'at all'}", breaks)
        yield from _parts(name, "field", was.get("fields", {}), now.get("fields", {}))
        yield from _parts(name, "member", was.get("members", {}), now.get("members", {}))


def _parts(owner: str, word: str, old: dict[str, str], new: dict[str, str]) -> Iterator[Difference]:
    for name in old.keys() - new.keys():
        yield Difference(owner, f"the {word} {name} is gone", True)
    for name in new.keys() - old.keys():
        yield Difference(owner, f"the {word} {name} is new", word == "field" and " = " not in new[name])
    for name in old.keys() & new.keys():
        if old[name] != new[name]:
            called = old[name].startswith("(") and new[name].startswith("(")
            breaks = _narrower(old[name], new[name]) if called else not _given_a_default(old[name], new[name])
            yield Difference(owner, f"the {word} {name} is {new[name]}, no longer {old[name]}", breaks)


def _given_a_default(old: str, new: str) -> bool:
    return " = " not in old and new.startswith(f"{old} = ")


def _hook(name: str, old: dict[str, Any], new: dict[str, Any] | None) -> Iterator[Difference]:
    if new is None:
        yield Difference(name, "the hook is gone", True)
        return
    for key in ("policy", "answers"):
        if old[key] != new[key]:
            yield Difference(name, f"its {key} is {new[key]}, no longer {old[key]}", True)
    for argument, kind in old["arguments"].items():
        if new["arguments"].get(argument) != kind:
            yield Difference(name, f"the argument {argument} is {new['arguments'].get(argument, 'gone')}", True)
    for argument in new["arguments"].keys() - old["arguments"].keys():
        yield Difference(name, f"the argument {argument} is new", False)


def _narrower(old: str, new: str) -> bool:
    """Whether a call or an answer that was right before may be wrong now. Only new arguments with a default widen."""
    before, after = _arguments(old), _arguments(new)
    if old.rpartition(" -> ")[2] != new.rpartition(" -> ")[2]:
        return True
    kept = [each for each in after if _name_of(each) in {_name_of(each) for each in before}]
    added = [each for each in after if each not in kept]
    if any("=" not in each and not each.startswith("*") for each in added):
        return True
    if after[: len(before)] == before:
        return False
    if all(each in after for each in before):  # put between: right for those who name their arguments
        return kept != before or "*" not in after[: after.index(added[0])]
    return True


def _arguments(called: str) -> list[str]:
    """`["ctx: Context", "limit: int=20"]` of `(ctx: Context, limit: int=20) -> list`."""
    inner, parts, depth, part = called.partition(" -> ")[0].strip()[1:-1], [], 0, ""
    for sign in inner:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and not depth:
            parts.append(part.strip())
            part = ""
        else:
            part += sign
    return [*parts, part.strip()] if part.strip() else parts


def _name_of(argument: str) -> str:
    return re.split(r"[:=]", argument, maxsplit=1)[0].strip()


def complaints(old: Surface, new: Surface, changelog: str) -> list[str]:
    """Why the present surface may not be released: an unmentioned change, or one that asks for another version.

    While the frozen version itself stands under the unreleased heading, nobody's plugin was made for it.
    """
    found, unreleased = differences(old, new), unreleased_part(changelog)
    wrong = [
        f"{each.name}: {each.what}. Say so in CHANGELOG.md under the unreleased heading, naming `{each.name}`."
        for each in found
        if not re.search(rf"(?<!\w){re.escape(each.name)}(?!\w)", unreleased)
    ]
    breaking = [each for each in found if each.breaks]
    had = not re.search(rf"^## {re.escape(old['version'])}(?![\d.])", unreleased, flags=re.M)
    if breaking and had and not stepped(old["version"], new["version"]):
        told = "; ".join(f"{each.name}: {each.what}" for each in breaking)
        wrong.append(
            f"Plugins made for {old['version']} may stop working ({told}). Give core.__version__ its next"
            f" {'first' if Version(old['version']).major else 'second'} number: at least {next_breaking(old['version'])}."
        )
    return wrong


def stepped(old: str, new: str) -> bool:
    """Whether the version says that plugins may have to be changed."""
    return Version(new) >= Version(next_breaking(old))


def unreleased_part(changelog: str) -> str:
    """What stands under the headings that are not released yet."""
    parts = re.split(r"^(?=## )", changelog, flags=re.M)
    return "".join(part for part in parts if "unreleased" in part.partition("\n")[0].lower())

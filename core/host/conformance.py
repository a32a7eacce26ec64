"""What every plugin must hold, whoever wrote it. A test class inherits it and names its plugin; nothing else is needed.

    class TestSealed(PluginConformance):
        plugin = "sealed_rounds"     # the package its entry point names

It looks at the plugin's files and at what it declares; it needs no database.
"""

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import jinja2
from babel.messages.pofile import read_po
from jinja2 import nodes
from jinja2.ext import extract_from_ast
from marshmallow import Schema

import templates
from core.hooks import Dispatch
from core.host.loading import Host, Loaded, bring_in
from core.host.manifest import Manifest, read
from core.web.formats import FILTERS
from core.web.navigation import GROUPS

SAID = ("_", "gettext", "ngettext", "lazy")
REFUSED = ("Refused", "Conflict", "NotFound", "Forbidden", "Invalid", "one", "FieldError", "Objection")
PLACE = re.compile(r"%\((\w+)\)s")


class PluginConformance:
    """The checks. Each is a sentence that is true of the plugin, or fails with what is wrong."""

    plugin: ClassVar[str]

    @property
    def module(self) -> ModuleType:
        return importlib.import_module(self.plugin)

    @property
    def manifest(self) -> Manifest:
        return read(self.folder, self.plugin)

    @property
    def folder(self) -> Path:
        assert self.module.__file__
        return Path(self.module.__file__).parent

    def test_it_comes_in(self) -> None:
        host = self._host()
        assert host.broken == {}, f"it does not come in: {'; '.join(host.broken.values())}"

    def test_its_manifest_says_what_it_is_in_both_languages(self) -> None:
        manifest = self.manifest
        assert manifest.fits(), f"made for core {manifest.core}"
        for words in (manifest.title, manifest.summary):
            assert set(words) == {"zh", "en"} and all(words.values()), "plugin.toml: title and summary need zh and en"
        assert manifest.licence, "plugin.toml: licence is missing"
        assert manifest.scope in ("tenant", "platform"), f"plugin.toml: scope {manifest.scope!r} is unknown"

    def test_it_enters_through_the_door_only(self) -> None:
        for path in self._sources():
            for name in _imported(path):
                assert name.partition(".")[0] not in ("core", "connectors"), f"{path.name} imports {name}"
                if name.startswith("plugins."):
                    assert name.startswith(self.plugin), f"{path.name} imports another plugin: {name}"

    def test_its_permissions_are_its_own_and_those_of_its_manifest(self) -> None:
        declared = [permission.code for permission in self._loaded().permissions]
        written = sorted(self.manifest.permissions)
        assert sorted(declared) == written, f"declared are {sorted(declared)}, plugin.toml says {written}"
        assert len(set(declared)) == len(declared), f"a permission is declared twice: {declared}"

    def test_every_route_asks_for_a_permission_that_somebody_brings(self) -> None:
        loaded = self._loaded()
        own = {permission.code for permission in loaded.permissions}
        for routes in (*loaded.pages, *loaded.apis):
            for endpoint in routes.endpoints:
                asked = endpoint.permission
                if asked and asked.startswith(f"{self.manifest.name}."):
                    assert asked in own, f"{endpoint.method} {endpoint.path} asks for the unknown {asked}"

    def test_its_menu_entry_has_a_place(self) -> None:
        for entry in self._loaded().menu:
            assert entry.group in GROUPS, f"the menu has no group {entry.group!r}; it has {', '.join(GROUPS)}"
            assert entry.endpoint.startswith(f"{self.manifest.name}."), f"{entry.endpoint} is no page of its own"

    def test_its_settings_have_defaults_and_come_back_as_they_were_given(self) -> None:
        schema: type[Schema] | None = self._loaded().settings_schema
        if schema is None:
            return
        defaults = schema().load({})
        assert schema().load(schema().dump(defaults)) == defaults, "a default changes when it is saved and read again"
        for name, field in schema().fields.items():
            assert field.metadata.get("title"), f"the setting {name} has no title"

    def test_its_templates_are_sound_and_its_own(self) -> None:
        environment = self._environment()
        for path in self._templates():
            name = path.relative_to(self.folder / "templates").as_posix()
            assert name.startswith(f"{self.manifest.name}/"), f"{name} must lie in {self.manifest.name}/"
            text = path.read_text(encoding="utf-8")
            environment.get_template(name)
            assert not re.search(r"<style|<script|\sstyle=|\son\w+=", text), (
                f"{name} breaks the strict policy"
            )
            for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.S):
                assert "form.token()" in form or "_csrf" in form, f"a form of {name} carries no token"

    def test_its_words_are_complete_in_both_languages(self) -> None:
        chinese, english = self._words("zh"), self._words("en")
        said = {sentence for path in self._sources() for sentence in _said(path)}
        said |= {sentence for path in self._templates() for sentence in self._said_in(path)}
        said |= {str(text) for text in self._titles()}
        assert not said - chinese.keys(), f"words/zh.po lacks: {'; '.join(sorted(said - chinese.keys()))}"
        codes = {code for path in self._sources() for code in _codes(path, self.manifest.name)}
        assert not codes - chinese.keys(), f"words/zh.po lacks the codes {', '.join(sorted(codes - chinese.keys()))}"
        assert not codes - english.keys(), f"words/en.po lacks the codes {', '.join(sorted(codes - english.keys()))}"
        for msgid, text in chinese.items():
            places = set(PLACE.findall(english.get(msgid, msgid)))
            assert set(PLACE.findall(text)) <= places, f"words/zh.po: {msgid!r} has other places than {text!r}"

    def _host(self) -> Host:
        host = Host(Dispatch())
        bring_in(host, self.manifest)
        return host

    def _loaded(self) -> Loaded:
        return self._host().loaded[self.manifest.name]

    def _sources(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*.py") if "migrations" not in path.parts)

    def _templates(self) -> list[Path]:
        return sorted((self.folder / "templates").rglob("*.html"))

    def _environment(self) -> jinja2.Environment:
        folders = [str(self.folder / "templates"), str(templates.FOLDER)]
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folders), undefined=jinja2.StrictUndefined
        )
        environment.filters.update(dict.fromkeys(FILTERS, str))
        return environment

    def _said_in(self, path: Path) -> Iterator[str]:
        tree: nodes.Template = self._environment().parse(path.read_text(encoding="utf-8"))
        for _line, _function, message in extract_from_ast(tree, SAID):
            first = message[0] if isinstance(message, tuple) else message
            if first:
                yield first

    def _titles(self) -> Iterator[Any]:
        loaded = self._loaded()
        yield from (permission.title for permission in loaded.permissions)
        yield from (mode.title for mode in loaded.modes)
        if loaded.settings_schema is not None:
            for field in loaded.settings_schema().fields.values():
                said = (field.metadata.get(key) for key in ("title", "hint", "group", "unit"))
                yield from (each for each in said if each and not isinstance(each, Mapping))

    def _words(self, language: str) -> dict[str, str]:
        path = self.folder / "words" / f"{language}.po"
        found: dict[str, str] = {}
        with path.open("rb") as file:
            for message in read_po(file, abort_invalid=True):
                if message.id:
                    msgid = message.id if isinstance(message.id, str) else message.id[0]
                    text = message.string if isinstance(message.string, str) else message.string[0]
                    if text:
                        found[msgid] = text
        return found


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


def _calls(path: Path) -> Iterator[tuple[str, list[ast.expr]]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func
            name = (
                called.attr
                if isinstance(called, ast.Attribute)
                else called.id
                if isinstance(called, ast.Name)
                else ""
            )
            yield name, node.args


def _said(path: Path) -> Iterator[str]:
    for name, arguments in _calls(path):
        if name in SAID and arguments and isinstance(arguments[0], ast.Constant):
            yield str(arguments[0].value)


def _codes(path: Path, plugin: str) -> Iterator[str]:
    for name, arguments in _calls(path):
        if name in REFUSED:
            for argument in arguments:
                if isinstance(argument, ast.Constant) and str(argument.value).startswith(f"{plugin}."):
                    yield str(argument.value)

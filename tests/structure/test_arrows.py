"""Who may import whom, who may cross to the other side, and who may speak with the world outside."""

import ast
import os
import warnings
from pathlib import Path

import pytest

from tests.structure.source import ROOT, Module, called, modules

CROSSERS = {"core.orders", "core.fulfilment", "core.billing"}
OUTBOUND = "core/sync/outbound.py"
CLIENTS = {
    "_socket", "_ssl", "aiohttp", "asyncio", "ftplib", "http.client", "httpx", "imaplib", "logging.handlers", "multiprocessing",
    "nntplib", "paramiko", "poplib", "pycurl", "requests", "smtplib", "socket", "socketserver", "telnetlib", "urllib.request",
    "urllib3", "websocket", "websockets", "xmlrpc.client", "zeep",
}  # fmt: skip
OWN_DOORS = {
    "core/cli": "looks whether its own port answers on loopback",
    "core/db/cutting.py": "breaks a connection that is there, opens none",
    "core/db/embedded": "speaks with its own server over a socket file",
    "core/sync/drill/trouble.py": "stands before the guard and breaks what goes through it; calls nobody itself",
    "core/demo": "plays the trade against its own portal on loopback",
    "connectors/generic/files/sftp.py": "paramiko over a socket that the guard has dialled",
    "connectors/generic/files/simulator": "listens, calls nobody",
    "connectors/generic/rest/simulator": "listens, and calls webhooks back for practice",
    "connectors/kingdee/simulator": "listens, calls nobody",
}
"""Folders and files that have to do with sockets to ourselves, and why."""
OVER_THE_GUARD = ("connectors/kingdee/eas", "connectors/sap/soap")
"""Where zeep may be used: over the guarded session it is handed, with nothing loaded from outside; their own tests prove both."""


def test_imports_point_down() -> None:
    """The contracts of setup.cfg, kept by import-linter."""
    from importlinter.application.use_cases import SUCCESS
    from importlinter.cli import lint_imports

    before = Path.cwd()
    os.chdir(ROOT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # import-linter's own
            broken = lint_imports(config_filename="setup.cfg", no_cache=True)
    finally:
        os.chdir(before)
    assert broken == 0, "run `lint-imports` to see which import goes up"
    assert SUCCESS is not None


def test_only_the_rooms_of_a_trade_cross_to_the_counterparty() -> None:
    """A crossing shows one enterprise's rows to code that acts for another, so three rooms may do it and no others."""
    wrong = []
    for module in modules():
        if module.path == "core/kernel/context.py":
            continue
        for call in module.calls():
            name = called(call)
            if name == "as_tenant" and module.path != "core/orders/sides.py":
                wrong.append(f"{module.path}:{call.lineno} calls as_tenant")
            if name == "side" and module.room not in CROSSERS:
                wrong.append(f"{module.path}:{call.lineno} crosses sides")
        for source, name, line in module.imports():
            if source == "core.orders.sides" and name in ("side", "") and module.room not in CROSSERS:
                wrong.append(f"{module.path}:{line} imports the crossing")
    assert not wrong, "\n".join(wrong)


def test_the_tenant_of_a_transaction_is_set_in_few_places() -> None:
    """`ts.tenant` decides every row that is seen: the session, the unit of work and the crossing set it, nobody else."""
    allowed = {"core/db/session.py", "core/db/unit.py", "core/kernel/context.py"}
    allowed |= {"core/host/probing.py"}  # tries a plugin's policies under a savepoint, on rows of nobody
    allowed |= {"core/audit/service.py", "core/outbox/service.py"}  # what a crossing did is told in both houses
    wrong = [
        f"{module.path}:{call.lineno}"
        for module in modules()
        if module.path not in allowed
        for call in module.calls()
        if called(call) == "set_tenant" or any("set_config('ts.tenant'" in text for text in texts_of(call))
    ]
    assert not wrong, "\n".join(wrong)


def texts_of(call: ast.Call) -> list[str]:
    return [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]


def test_the_outbound_guard_is_the_only_way_out() -> None:
    """Whoever wants the world outside uses `core.sync.session`, which checks each address it dials."""
    guarded = (
        module
        for module in modules()
        if module.path != OUTBOUND and not any(f"{module.path}/".startswith(f"{own}/") for own in OWN_DOORS)
    )
    wrong = [each for module in guarded for each in ways_out(module)]
    assert not wrong, "\n".join(wrong)


def ways_out(module: Module) -> list[str]:
    """Every import of a module by which it could speak with the world past the guard."""
    wrong = []
    typing_only = _names_used_as_types_only(module.tree)
    for source, name, line in module.imports():
        asked = f"{source}.{name}" if f"{source}.{name}" in CLIENTS else source
        if any(asked == client or asked.startswith(f"{client}.") for client in CLIENTS):
            if asked == "requests" and "requests" in typing_only:
                continue
            if asked.partition(".")[0] == "zeep" and module.path.startswith(OVER_THE_GUARD):
                continue
            wrong.append(f"{module.path}:{line} imports {asked}")
    return wrong


def module_of(text: str, path: str = "connectors/mine/client.py") -> Module:
    return Module(path, ast.parse(text), text.count("\n") + 1)


@pytest.mark.parametrize(
    "text",
    [
        "import requests as r\nr.get('https://x')",
        "import requests\nrequests.get('https://x')",
        "import requests\nrequests.Session().get('https://x')",
        "import requests\nmake = requests.Session\nmake().get('https://x')",
        "import requests\ndef f(make=requests.Session): return make()",
        "import requests\nclass Mine(requests.Session): pass",
        "import requests\nrequests.sessions.Session()",
        "import requests\nrequests.auth.requests",
        "import requests\ngetattr(requests, 'get')('https://x')",
        "from requests import get",
        "from requests import Session as S\nS()",
        "from requests import *",
        "import requests.adapters",
        "from http import client",
        "from urllib import request as r",
        "import asyncio\nasyncio.open_connection",
        "import multiprocessing.connection",
        "from logging import handlers",
        "import zeep",
    ],
)
def test_the_guard_over_the_guard_sees_every_way_past_it(text: str) -> None:
    assert ways_out(module_of(text))


def test_the_guard_over_the_guard_lets_types_and_errors_pass() -> None:
    text = (
        "import requests\ndef f(http: requests.Session) -> requests.Response:\n"
        "    try:\n        return http.get('/')\n    except requests.Timeout:\n        raise\n"
    )
    assert ways_out(module_of(text)) == []


# What of `requests` is no way out: the types of what the guard's session answers and raises.
HARMLESS = {
    "Timeout",
    "ConnectionError",
    "Response",
    "Request",
    "PreparedRequest",
    "RequestException",
    "Session",
    "exceptions",
    "codes",
}


def _names_used_as_types_only(tree: ast.Module) -> set[str]:
    """{"requests"} when a module names only harmless things of it, a session only as a type, and it by no other name."""
    types = {inner for node in ast.walk(tree) for told in _annotations(node) for inner in ast.walk(told)}
    named: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(each.name == "requests" and each.asname for each in node.names):
            return set()
        if isinstance(node, ast.ImportFrom) and node.module == "requests":
            named |= {alias.name for alias in node.names}
            if "Session" in named:
                return set()
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "requests":
            if node.attr == "Session" and node not in types:
                return set()
            named.add(node.attr)
    before = {node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    alone = any(isinstance(node, ast.Name) and node.id == "requests" and node not in before for node in ast.walk(tree))
    return set() if alone or named - HARMLESS else {"requests"}


def _annotations(node: ast.AST) -> list[ast.expr]:
    """The types that stand at a definition."""
    found = [node.annotation] if isinstance(node, ast.arg | ast.AnnAssign) else []
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        found.append(node.returns)
    return [each for each in found if each is not None]


PROGRAMS = {"ctypes", "importlib", "runpy", "subprocess"}
RUNNERS = {"connectors/generic/files/tables.py": "reads a workbook in a process of its own, under limits"}


def test_connectors_and_plugins_start_no_program_and_import_nothing_by_name() -> None:
    """What is imported under a name made at work, or done by another program, no other test here could see."""
    assert [each for module in modules("connectors", "plugins") for each in hidden_ways(module)] == []


def hidden_ways(module: Module) -> list[str]:
    wrong = [
        f"{module.path}:{line} imports {source}"
        for source, name, line in module.imports()
        if source.partition(".")[0] in PROGRAMS and source != "importlib.resources" and module.path not in RUNNERS
    ]
    for call in module.calls():
        told = ast.unparse(call.func)
        started = told.startswith(("os.system", "os.popen", "os.exec", "os.spawn", "os.posix_spawn", "os.fork"))
        if started or told in ("__import__", "eval", "exec", "compile"):
            wrong.append(f"{module.path}:{call.lineno} {told}")
    return wrong


@pytest.mark.parametrize(
    "text",
    ["import subprocess", "from importlib import import_module", "import ctypes", "__import__('socket')", "os.popen('curl x')"],
)
def test_a_hidden_way_is_seen(text: str) -> None:
    assert hidden_ways(module_of(text))


TRUSTING = ("xml.etree", "xml.dom", "xml.sax", "xml.parsers", "lxml.html", "lxml.objectify", "lxml.sax")
"""Readers of XML that open entities or documents of others; `xml.sax.saxutils` only writes."""


def test_xml_is_read_without_entities_without_network_and_from_bytes_alone() -> None:
    assert [each for module in modules() for each in trusting_reads(module)] == []


def trusting_reads(module: Module) -> list[str]:
    wrong = []
    for source, name, line in module.imports():
        asked = {source, f"{source}.{name}"}
        if any(each.startswith(TRUSTING) for each in asked) and not any("saxutils" in each for each in asked):
            wrong.append(f"{module.path}:{line} imports {source}")
    for call in module.calls():
        reader = call.func.attr if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "etree" else ""
        told = {each.arg: ast.unparse(each.value) for each in call.keywords}
        if reader in ("XMLParser", "XMLPullParser"):
            safe = told.get("resolve_entities") == "False" and told.get("no_network") == "True"
            opened = {"huge_tree", "load_dtd", "dtd_validation", "attribute_defaults", "recover"}
            if not safe or any(told.get(each, "False") != "False" for each in opened):
                wrong.append(f"{module.path}:{call.lineno} a parser that trusts")
        elif reader in ("parse", "iterparse", "XML", "XMLID", "HTML", "fromstringlist", "HTMLParser"):
            wrong.append(f"{module.path}:{call.lineno} etree.{reader}")
        elif reader == "fromstring" and len(call.args) < 2 and "parser" not in told:
            wrong.append(f"{module.path}:{call.lineno} etree.fromstring without a parser")
    return wrong


@pytest.mark.parametrize(
    "text",
    [
        "from lxml import etree\netree.fromstring(b'')",
        "from lxml import etree\netree.parse('http://x')",
        "from lxml import etree\netree.XMLParser(no_network=True)",
        "from lxml import etree\netree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)",
        "import xml.etree.ElementTree",
        "from xml.dom import minidom",
        "from lxml import objectify",
    ],
)
def test_a_trusting_reader_of_xml_is_seen(text: str) -> None:
    assert trusting_reads(module_of(text))


def test_nobody_runs_text_as_code() -> None:
    """No eval, exec, pickle or yaml.load: text from outside is data."""
    wrong = [
        f"{module.path}:{call.lineno} {ast.unparse(call.func)}"
        for module in modules()
        for call in module.calls()
        if ast.unparse(call.func) in ("eval", "exec", "pickle.load", "pickle.loads", "yaml.load", "marshal.loads")
    ]
    assert not wrong, "\n".join(wrong)


def test_files_stay_short() -> None:
    """Past four hundred lines a file wants to be a folder. A reminder, not a wall."""
    long = [f"{module.path}: {module.lines}" for module in modules() if module.lines > 400]
    if long:
        pytest.skip("would be better as folders: " + ", ".join(long))

"""Who may import whom, who may cross to the other side, and who may speak with the world outside."""

import ast
import os
import warnings
from pathlib import Path

import pytest

from tests.structure.source import ROOT, called, modules

CROSSERS = {"core.orders", "core.fulfilment", "core.billing"}
OUTBOUND = "core/sync/outbound.py"
CLIENTS = {
    "aiohttp", "ftplib", "http.client", "httpx", "imaplib", "paramiko", "poplib", "pycurl", "requests", "smtplib", "socket",
    "socketserver", "telnetlib", "urllib.request", "urllib3", "websocket", "websockets", "xmlrpc.client", "zeep",
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
    wrong = []
    for module in modules():
        if module.path == OUTBOUND or any(f"{module.path}/".startswith(f"{own}/") for own in OWN_DOORS):
            continue
        typing_only = _names_used_as_types_only(module.tree)
        for source, name, line in module.imports():
            asked = f"{source}.{name}" if f"{source}.{name}" in CLIENTS else source
            if any(asked == client or asked.startswith(f"{client}.") for client in CLIENTS):
                if asked == "requests" and "requests" in typing_only:
                    continue
                if asked.partition(".")[0] == "zeep" and module.path.startswith(OVER_THE_GUARD):
                    continue
                wrong.append(f"{module.path}:{line} imports {asked}")
    assert not wrong, "\n".join(wrong)


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
    "auth",
    "codes",
}


def _names_used_as_types_only(tree: ast.Module) -> set[str]:
    """{"requests"} when a module names only harmless things of it and never makes a session of its own."""
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "requests"]
    taken = {alias.name for node in froms for alias in node.names}
    making = {"requests.Session", *(taken & {"Session"})}
    for node in ast.walk(tree):
        named: set[str] = set()
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "requests":
            named = {node.attr}
        elif isinstance(node, ast.ImportFrom) and node.module == "requests":
            named = {alias.name for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in making:
            return set()
        if named - HARMLESS:
            return set()
    return {"requests"}


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

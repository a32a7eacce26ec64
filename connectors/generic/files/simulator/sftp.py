"""An SFTP server over one folder: nobody gets above it, and connections break on demand."""

from __future__ import annotations

import os
import socketserver
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import paramiko

from connectors.generic.files.simulator.account import Account, key_from
from tongshang.simulate import Faults


class SftpServer:
    """Listens from the moment it is made; `start` and `stop`."""

    def __init__(
        self, root: Path, account: Account, faults: Faults, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.root, self.account, self.faults = root.resolve(), account, faults
        self.host_key, self.user_key = key_from(account.seed), key_from(f"{account.seed} of the user")
        self.stopped = threading.Event()
        self._server = _Listener((host, port), self)
        self.port = int(self._server.server_address[1])

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sftp", daemon=True).start()

    def stop(self) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], owner: SftpServer) -> None:
        self.owner = owner
        super().__init__(address, _Session)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is no news for the log."""


class _Session(socketserver.BaseRequestHandler):
    server: _Listener

    def handle(self) -> None:
        owner = self.server.owner
        transport = paramiko.Transport(self.request)
        transport.add_server_key(owner.host_key)
        transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, owner)
        with suppress(paramiko.SSHException, EOFError, OSError):
            transport.start_server(server=_Door(owner, transport))
            while transport.is_active() and not owner.stopped.wait(0.1):
                pass
        transport.close()


class _Door(paramiko.ServerInterface):
    def __init__(self, owner: SftpServer, transport: paramiko.Transport) -> None:
        self.owner, self.transport = owner, transport

    def check_auth_password(self, username: str, password: str) -> int:
        right = (username, password) == (self.owner.account.user, self.owner.account.password)
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        right = username == self.owner.account.user and key == self.owner.user_key
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return (
            paramiko.OPEN_SUCCEEDED if kind == "session" else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        )


class _Files(paramiko.SFTPServerInterface):
    """The acts of SFTP on real files; each may be hit by a fault named after it."""

    def __init__(self, server: _Door, owner: SftpServer) -> None:
        super().__init__(server)
        self.door, self.owner = server, owner

    def list_folder(self, path: str) -> Any:
        return self._do("list", path, lambda: self._listed(self._real(path)))

    def stat(self, path: str) -> Any:
        return self._do("stat", path, lambda: paramiko.SFTPAttributes.from_stat(os.stat(self._real(path))))

    def lstat(self, path: str) -> Any:
        return self._do("stat", path, lambda: paramiko.SFTPAttributes.from_stat(os.lstat(self._real(path))))

    def open(self, path: str, flags: int, attr: Any) -> Any:
        def opened() -> paramiko.SFTPHandle:
            number = os.open(self._real(path), flags, 0o660)
            handle = paramiko.SFTPHandle(flags)
            file = os.fdopen(number, "r+b" if flags & os.O_RDWR else "wb" if flags & os.O_WRONLY else "rb")
            handle.filename = path
            handle.readfile = handle.writefile = file
            return handle

        return self._do("write" if flags & (os.O_WRONLY | os.O_RDWR) else "read", path, opened)

    def remove(self, path: str) -> Any:
        return self._do("remove", path, lambda: os.remove(self._real(path)))

    def rename(self, oldpath: str, newpath: str) -> Any:
        def renamed() -> None:
            if os.path.lexists(self._real(newpath)):
                raise FileExistsError(newpath)
            os.rename(self._real(oldpath), self._real(newpath))

        return self._do("rename", newpath, renamed)

    def posix_rename(self, oldpath: str, newpath: str) -> Any:
        return self._do("rename", newpath, lambda: os.replace(self._real(oldpath), self._real(newpath)))

    def mkdir(self, path: str, attr: Any) -> Any:
        return self._do("mkdir", path, lambda: os.mkdir(self._real(path), 0o770))

    def _do(self, operation: str, path: str, act: Any) -> Any:
        fault = self.owner.faults.pick(operation, path.strip("/").split("/")[0], path.rpartition("/")[2])
        mode = fault.mode if fault else ""
        if mode in ("drop_before", "timeout_before"):
            return self._break(fault)
        try:
            found = act()
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 5)
        if mode in ("drop_after", "timeout_after", "cut_body"):
            return self._break(fault, found)
        return paramiko.SFTP_OK if found is None else found

    def _break(self, fault: Any, found: Any = None) -> int:
        if fault.mode.startswith("timeout"):
            self.owner.stopped.wait(fault.seconds)
        if isinstance(found, paramiko.SFTPHandle):
            found.close()
        self.door.transport.close()
        return int(paramiko.SFTP_FAILURE)

    def _listed(self, folder: str) -> list[paramiko.SFTPAttributes]:
        with os.scandir(folder) as entries:
            return [
                paramiko.SFTPAttributes.from_stat(entry.stat(follow_symlinks=False), entry.name)
                for entry in entries
            ]

    def _real(self, path: str) -> str:
        """Below the root, whatever was asked for."""
        wanted = os.path.normpath("/" + path).lstrip("/")
        parent = os.path.realpath(self.owner.root / os.path.dirname(wanted))
        if parent != str(self.owner.root) and not parent.startswith(f"{self.owner.root}{os.sep}"):
            raise PermissionError(13, path)
        return os.path.join(parent, os.path.basename(wanted))

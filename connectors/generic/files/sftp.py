"""Files of another machine over SFTP: the address under the operator's rules, the host by its fingerprint."""

from __future__ import annotations

import base64
import errno
import hashlib
import io
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import requests

from connectors.generic.files.place import LARGEST, MOST, Entry, Missing, Place, below, plain
from tongshang.connect import Blocked, FixSettings, RetryLater, Unreachable, wire

if TYPE_CHECKING:
    import paramiko

PATIENCE = 20.0  # seconds for one answer of the server
LONGEST_ACT = 120.0  # seconds for one act with all its answers, such as reading a whole file
CONNECT = 10.0
PIECE = 32768  # bytes of one question to the server


class Sftp(Place):
    """One login on one server; opened at the first act and again after the connection was lost."""

    def __init__(
        self,
        http: requests.Session,
        host: str,
        port: int,
        *,
        root: str,
        username: str,
        password: str = "",
        private_key: str = "",
        passphrase: str = "",
        fingerprints: set[str],
        patience: float = PATIENCE,
        longest: float = LONGEST_ACT,
    ) -> None:
        self.http, self.host, self.port, self.username = http, host, port, username
        self._password, self._private_key, self._passphrase = password, private_key, passphrase
        self.fingerprints, self.patience, self.longest = fingerprints, patience, longest
        self.root = root.rstrip("/")
        self.shown = f"sftp://{username}@{host}:{port}{root}"
        self._transport: paramiko.Transport | None = None
        self._sftp: paramiko.SFTPClient | None = None
        self._channel: _InTime | None = None

    # -- the connection, step by step so that a check can name the step

    def reach(self) -> None:
        """A connection to a host whose key is the expected one, and nobody logged in yet."""
        import paramiko

        self.close()
        try:
            line = wire(self.http, self.host, self.port, CONNECT)
        except Blocked as error:
            raise FixSettings("outbound.blocked", str(error)) from error
        except Unreachable as error:
            raise RetryLater(f"unreachable.{error.stage}", str(error)) from error
        with self.remedies("connect"):
            try:
                transport = paramiko.Transport(line)
            except BaseException:
                line.close()
                raise
            self._transport = transport
            transport.banner_timeout = transport.auth_timeout = self.patience
            transport.start_client(timeout=self.patience)
            seen = fingerprint(transport.get_remote_server_key())
        if seen not in self.fingerprints:
            self.close()
            raise FixSettings("files.host_key", f"{self.host} shows {seen}, which is not the expected key")

    def sign_in(self) -> None:
        """Log in and open the file service; `reach` went before."""
        assert self._transport is not None
        key = self._key() if self._private_key else None
        with self.remedies("login"):
            if key is not None:
                self._transport.auth_publickey(self.username, key)
            else:
                self._transport.auth_password(self.username, self._password, fallback=False)
            self._sftp = self._service(self._transport)

    def _service(self, transport: paramiko.Transport) -> paramiko.SFTPClient:
        """The file service of a login. paramiko waits for it without end, so the line is cut when it takes too long."""
        import paramiko

        watch = threading.Timer(self.patience, transport.close)
        watch.daemon = True
        watch.start()
        try:
            channel = transport.open_session(timeout=self.patience)
            channel.settimeout(self.patience)
            channel.invoke_subsystem("sftp")
            made = paramiko.SFTPClient(channel)
        finally:
            watch.cancel()
        made.sock = self._channel = _InTime(channel, self.patience, self.longest)
        return made

    def close(self) -> None:
        transport, self._transport, self._sftp, self._channel = self._transport, None, None, None
        if transport is not None:
            with suppress(Exception):  # a connection that is lost may fail to say so
                transport.close()

    def _key(self) -> Any:
        import paramiko

        passphrase = self._passphrase or None
        for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
            try:
                return kind.from_private_key(io.StringIO(self._private_key), passphrase)
            except (paramiko.SSHException, ValueError, IndexError, TypeError):
                continue
        raise FixSettings("files.private_key", "the private key or its passphrase cannot be read")

    @property
    def _open(self) -> paramiko.SFTPClient:
        if self._sftp is None or self._transport is None or not self._transport.is_active():
            self.reach()
            self.sign_in()
        assert self._sftp is not None
        return self._sftp

    # -- files

    def list(self, folder: str) -> list[Entry]:
        found = []
        path = self._folder(folder)
        sftp = self._open
        with self.remedies(folder):
            for no, seen in enumerate(sftp.listdir_iter(path), 1):
                if no > MOST:  # whatever they are: a server may list for ever
                    raise FixSettings("files.too_many", f"{folder}: more than {MOST} files")
                if plain(seen.filename) and stat.S_ISREG(seen.st_mode or 0):
                    found.append(Entry(seen.filename, seen.st_size or 0, int(seen.st_mtime or 0)))
        return found

    def read(self, folder: str, name: str, most: int = LARGEST) -> bytes:
        path, sftp = self._file(folder, name), self._open
        with self.remedies(name):
            if not stat.S_ISREG(sftp.lstat(path).st_mode or 0):
                raise ValueError(f"{name} is no plain file")
            with sftp.open(path, "rb") as file:
                data = bytearray()
                while chunk := file.read(min(PIECE, most + 1 - len(data))):
                    data += chunk
        if len(data) > most:
            raise ValueError(f"longer than {most} bytes")
        return bytes(data)

    def write(self, folder: str, name: str, data: bytes) -> None:
        path, sftp = self._file(folder, name), self._open
        with self.remedies(name):
            with sftp.open(path, "wb") as file:  # each piece is answered: a full disk must not go unseen
                file.write(data)
            there = sftp.stat(path).st_size
        if there != len(data):
            raise RetryLater("files.trouble", f"{name}: {there} of {len(data)} bytes arrived")

    def exists(self, folder: str, name: str) -> bool:
        path, sftp = self._file(folder, name), self._open
        try:
            with self.remedies(name):
                sftp.lstat(path)
        except Missing:
            return False
        return True

    def move(self, folder: str, name: str, to: str, new: str) -> None:
        path, target, sftp = self._file(folder, name), self._file(to, new), self._open
        with self.remedies(name):
            try:
                sftp.posix_rename(path, target)
            except OSError as error:
                if not _unsupported(error):
                    raise
                with suppress(FileNotFoundError):  # an older server renames over nothing
                    sftp.remove(target)
                sftp.rename(path, target)

    def make(self, folder: str) -> None:
        path, sftp = self.root, self._open
        for step in below(folder):
            path = f"{path}/{step}"
            with self.remedies(folder):
                try:
                    sftp.stat(path)
                except FileNotFoundError:
                    sftp.mkdir(path, 0o770)

    def _folder(self, folder: str) -> str:
        return "/".join([self.root, *below(folder)])

    def _file(self, folder: str, name: str) -> str:
        if not plain(name):
            raise FixSettings("files.name", f"{name!r} is no name of a file")
        return f"{self._folder(folder)}/{name}"

    @contextmanager
    def remedies(self, what: str) -> Iterator[None]:
        import paramiko

        if self._channel is not None:
            self._channel.begin()
        try:
            yield
        except paramiko.AuthenticationException as error:
            self.close()
            raise FixSettings("files.login_refused", f"{self.username}: {error}") from None
        except FileNotFoundError:
            raise Missing(what) from None
        except PermissionError as error:
            raise FixSettings("files.forbidden", f"{what}: {error}") from None
        except (EOFError, TimeoutError, paramiko.SSHException, ConnectionError) as error:
            self.close()
            said = str(error) or type(error).__name__
            raise RetryLater("files.broken_off", f"{what}: the connection broke off: {said}") from None
        except OSError as error:
            if "Socket is closed" in str(error):
                self.close()
            raise RetryLater("files.trouble", f"{what}: {error}") from None


class _InTime:
    """The channel of a file service, whose answers may take `longest` seconds together for one act, however they trickle."""

    def __init__(self, channel: paramiko.Channel, patience: float, longest: float) -> None:
        self.channel, self.patience, self.longest = channel, patience, longest
        self.begin()

    def begin(self) -> None:
        self.until = time.monotonic() + self.longest

    def recv(self, most: int) -> bytes:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"it took longer than {self.longest:g} s in all")
        self.channel.settimeout(min(self.patience, left))
        return self.channel.recv(most)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.channel, name)


def fingerprint(key: Any) -> str:
    """A host key as `ssh-keygen -l` shows it."""
    digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
    return f"SHA256:{digest}"


def _unsupported(error: OSError) -> bool:
    return error.errno in (errno.EOPNOTSUPP, errno.ENOSYS) or "unsupported" in str(error).lower()

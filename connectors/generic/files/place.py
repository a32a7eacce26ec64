"""Where files lie: a few acts on folders below one root, the same for a folder of this machine and for SFTP."""

from __future__ import annotations

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from tongshang.connect import FixSettings, RetryLater

LARGEST = 20 * 1024 * 1024  # bytes of one file
MOST = 20_000  # files of one folder
LONGEST_NAME = 200
FORBIDDEN = set('/\\<>:"|?*')


class Missing(Exception):
    """There is no such file or folder."""


@dataclass(frozen=True)
class Entry:
    """A file as a listing tells it; `changed` is in seconds since 1970."""

    name: str
    size: int
    changed: int


def plain(name: str) -> bool:
    """Whether this is the name of one file that leads nowhere else and is shown to people as it is."""
    return (
        0 < len(name) <= LONGEST_NAME
        and not name.startswith(".")
        and name.isprintable()
        and not FORBIDDEN & set(name)
        and name == name.strip()
    )


def below(folder: str) -> list[str]:
    """The steps of a folder below the root; raises FixSettings for one that climbs or begins at the top."""
    steps = folder.split("/")
    if not all(plain(step) for step in steps):
        raise FixSettings("files.folder_name", f"{folder!r} is no folder below the root")
    return steps


class Place(ABC):
    """Files below one root. Errors are RetryLater (lost, busy), FixSettings (not allowed), `Missing`."""

    shown: str  # how a person would write the root

    @abstractmethod
    def list(self, folder: str) -> list[Entry]:
        """The files of a folder, without those that are no plain files or have names that lead elsewhere."""

    @abstractmethod
    def read(self, folder: str, name: str, most: int = LARGEST) -> bytes:
        """A whole file. Raises Missing, and ValueError when it is longer than `most`."""

    @abstractmethod
    def write(self, folder: str, name: str, data: bytes) -> None:
        """A file with these bytes, whatever was there."""

    @abstractmethod
    def exists(self, folder: str, name: str) -> bool:
        """Whether the file is there."""

    @abstractmethod
    def move(self, folder: str, name: str, to: str, new: str) -> None:
        """Give a file another folder or name at one stroke, over what is there. Raises Missing."""

    @abstractmethod
    def make(self, folder: str) -> None:
        """The folder and those above it, below the root, where they are not there yet."""

    @abstractmethod
    def remedies(self, what: str) -> AbstractContextManager[None]:
        """Sorts what the system raises about `what` into the errors above."""

    @abstractmethod
    def close(self) -> None:
        """Give up what is open."""


class Folder(Place):
    """A folder of this machine that the operator opened; `root` is its real path."""

    def __init__(self, root: str) -> None:
        self.root, self.shown = root, root

    def list(self, folder: str) -> list[Entry]:
        found = []
        with _sorted_by_remedy(folder), self._at(folder) as here, os.scandir(here) as entries:
            for entry in entries:
                if plain(entry.name) and entry.is_file(follow_symlinks=False):
                    seen = entry.stat(follow_symlinks=False)
                    found.append(Entry(entry.name, seen.st_size, int(seen.st_mtime)))
                if len(found) > MOST:
                    raise FixSettings("files.too_many", f"{folder}: more than {MOST} files")
        return found

    def read(self, folder: str, name: str, most: int = LARGEST) -> bytes:
        with _sorted_by_remedy(name), self._at(folder, name) as here:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe would keep us waiting for ever
            with os.fdopen(os.open(name, flags, dir_fd=here), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise ValueError(f"{name} is no plain file")
                data = file.read(most + 1)
        if len(data) > most:
            raise ValueError(f"longer than {most} bytes")
        return data

    def write(self, folder: str, name: str, data: bytes) -> None:
        with _sorted_by_remedy(name), self._at(folder, name) as here:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK
            with os.fdopen(os.open(name, flags, 0o660, dir_fd=here), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())

    def exists(self, folder: str, name: str) -> bool:
        try:
            with _sorted_by_remedy(name), self._at(folder, name) as here:
                os.stat(name, dir_fd=here, follow_symlinks=False)
        except Missing:
            return False
        return True

    def move(self, folder: str, name: str, to: str, new: str) -> None:
        with _sorted_by_remedy(name), self._at(folder, name) as here, self._at(to, new) as there:
            os.replace(name, new, src_dir_fd=here, dst_dir_fd=there)

    def make(self, folder: str) -> None:
        with _sorted_by_remedy(folder):
            path = self.root
            for step in below(folder):
                path = os.path.join(path, step)
                self._inside(path, folder)  # before something is made behind a link
                if not os.path.isdir(path):
                    os.makedirs(path, 0o770, exist_ok=True)
        self._folder(folder)

    def remedies(self, what: str) -> AbstractContextManager[None]:
        return _sorted_by_remedy(what)

    def close(self) -> None:
        """Nothing is kept open."""

    def _folder(self, folder: str) -> str:
        """The real path of a folder; raises FixSettings when a link leads out of the root."""
        path = self._inside(os.path.join(self.root, *below(folder)), folder)
        if not os.path.isdir(path):
            raise Missing(folder)
        return path

    def _inside(self, path: str, folder: str) -> str:
        real = os.path.realpath(path)
        if not real.startswith(self.root.rstrip(os.sep) + os.sep):
            raise FixSettings("files.folder_elsewhere", f"{folder} is a link out of {self.root}")
        return real

    @contextmanager
    def _at(self, folder: str, name: str | None = None) -> Iterator[int]:
        """A folder opened step by step without following links, so that nobody puts one in its place meanwhile."""
        if name is not None and not plain(name):
            raise FixSettings("files.name", f"{name!r} is no name of a file")
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        steps = os.path.relpath(self._folder(folder), self.root).split(os.sep)
        here = os.open(self.root, flags)
        try:
            for step in steps:
                outer, here = here, os.open(step, flags, dir_fd=here)
                os.close(outer)
            yield here
        finally:
            os.close(here)


@contextmanager
def _sorted_by_remedy(what: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise Missing(what) from None
    except PermissionError as error:
        raise FixSettings("files.forbidden", f"{what}: {error.strerror}") from None
    except OSError as error:
        raise RetryLater("files.trouble", f"{what}: {error.strerror or error}") from None

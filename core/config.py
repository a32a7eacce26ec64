"""What one installation is told from outside: its data folder, databases, keys and address.

Everything else is a setting of a tenant and lives in the database. A `Config` is read once per process and
never changes; whoever needs a value is handed the `Config`, nobody reads the environment later.
"""

import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

DATA_VERSION = 1  # of the layout of the data folder; raised together with a step that converts the older one
DATABASE = "tongshang"
KEY_BYTES = 32


class UserError(Exception):
    """Something the person at the terminal can mend: what happened, to what, and what to do next."""

    def __init__(self, what: str, where: str = "", do: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.do = do


@dataclass(frozen=True)
class Config:
    """One installation as this process sees it. Database addresses are SQLAlchemy URLs."""

    data: Path
    embedded: bool  # True: we run the PostgreSQL ourselves, inside or beside `data`
    app_url: str | None = field(repr=False)
    worker_url: str | None = field(repr=False)
    migrate_url: str | None = field(repr=False)
    admin_url: str | None = field(repr=False)  # superuser; only to create roles and the database
    secret_key: bytes = field(repr=False)  # signs cookies
    master_key: bytes = field(repr=False)  # wraps the keys of encrypted columns
    host: str = "127.0.0.1"
    port: int | None = None  # None: the first free one
    insecure_http: bool = False  # cookies without Secure on a plain-http address that is not loopback
    safe_mode: bool = False  # start without any plugin
    allowed_hosts: tuple[str, ...] = ()  # names the portal answers to; empty: the bound address and loopback
    proxy_hops: int = 0  # how many trusted proxies stand in front
    memory_limit: int = 1024  # megabytes resident past which a web or worker process is replaced; 0: never

    @classmethod
    def load(cls, data: Path | str | None = None, environ: Mapping[str, str] = os.environ) -> "Config":
        """Read the environment and the data folder, creating folder and keys on the first run.

        Raises `UserError` when the folder cannot be used or holds data of another version.
        """
        folder = data_folder(data, environ)
        keys = _keys(folder, environ)
        outside = environ.get("DATABASE_URL")
        if outside:
            urls = {
                "app_url": database_url(outside, "DATABASE_URL"),
                "worker_url": _optional_url(environ, "WORKER_DATABASE_URL"),
                "migrate_url": _optional_url(environ, "MIGRATE_DATABASE_URL"),
                "admin_url": _optional_url(environ, "ADMIN_DATABASE_URL"),
            }
        else:
            urls = {
                "app_url": embedded_url(folder, "ts_app"),
                "worker_url": embedded_url(folder, "ts_worker"),
                "migrate_url": embedded_url(folder, "ts_migrator"),
                "admin_url": embedded_url(folder, "postgres", "postgres"),
            }
        return cls(
            data=folder,
            embedded=not outside,
            secret_key=keys["secret_key"],
            master_key=keys["master_key"],
            host=environ.get("TS_HOST", "127.0.0.1"),
            port=_integer(environ, "TS_PORT", None),
            insecure_http=_flag(environ, "TS_INSECURE_HTTP"),
            safe_mode=_flag(environ, "TS_SAFE_MODE"),
            allowed_hosts=tuple(environ.get("TS_ALLOWED_HOSTS", "").replace(",", " ").split()),
            proxy_hops=_integer(environ, "TS_PROXY_HOPS", 0) or 0,
            memory_limit=_integer(environ, "TS_MEMORY_LIMIT", cls.memory_limit) or 0,
            **urls,
        )

    def url(self, role: str) -> str:
        """The address for `app`, `worker`, `migrate` or `admin`; `UserError` when there is none."""
        address: str | None = getattr(self, f"{role}_url")
        if address is None:
            variable = {"app": "DATABASE_URL"}.get(role, f"{role.upper()}_DATABASE_URL")
            raise UserError(
                f"No database address for the role “{role}” is set.",
                variable,
                f"Set {variable}=postgresql://ROLE:PASSWORD@HOST/DATABASE. `run.py init` prints the SQL.",
            )
        return address


def data_folder(data: Path | str | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The data folder, absolute: the argument, $TS_DATA, `.data` in the clone, or the user's own."""
    if data is None:
        data = environ.get("TS_DATA") or None
    if data is not None:
        return Path(data).expanduser().absolute()
    clone = Path(__file__).resolve().parent.parent
    if (clone / "run.py").is_file():
        return clone / ".data"
    share = environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(share) / "tongshang"


def short_name(folder: Path) -> str:
    """A name for things of this folder that must live elsewhere under a short path: 16 hex digits."""
    return sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:16]


def socket_folder(folder: Path) -> Path:
    """Where the embedded server of this data folder listens; the same answer in every process of one user.

    Not $TMPDIR and not /run/user: the first differs between a terminal and a service, the second is emptied
    when the user logs out.
    """
    place = Path("/run") if os.geteuid() == 0 and os.access("/run", os.W_OK) else Path("/tmp")
    return place / f"tongshang-{short_name(folder)}"


def embedded_url(folder: Path, role: str, dbname: str = DATABASE) -> str:
    """SQLAlchemy URL of a role on the embedded server of a data folder."""
    return f"postgresql+psycopg://{role}@/{quote(dbname)}?host={quote(str(socket_folder(folder)), safe='/')}"


def database_url(value: str, variable: str) -> str:
    """A PostgreSQL URL in the form SQLAlchemy wants, from the forms people have at hand."""
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise UserError(
            f"{variable} is not a PostgreSQL address.",
            variable,
            "Write it as postgresql://ROLE:PASSWORD@HOST:5432/DATABASE.",
        )
    return f"postgresql+psycopg://{rest}"


def _optional_url(environ: Mapping[str, str], variable: str) -> str | None:
    value = environ.get(variable)
    return database_url(value, variable) if value else None


def _integer(environ: Mapping[str, str], variable: str, default: int | None) -> int | None:
    value = environ.get(variable)
    if not value:
        return default
    if not value.isdigit():
        raise UserError(f"{variable} is “{value}”, which is no whole number.", variable, "Give digits only.")
    return int(value)


def _flag(environ: Mapping[str, str], variable: str) -> bool:
    return environ.get(variable, "").strip().lower() in {"1", "true", "yes", "on"}


def _keys(folder: Path, environ: Mapping[str, str]) -> dict[str, bytes]:
    """Secrets of the installation: read, or made on the first run and never again."""
    path = Path(environ["TS_KEYS"]).expanduser() if environ.get("TS_KEYS") else folder / "keys"
    try:
        if not folder.exists():
            folder.mkdir(parents=True, mode=0o700)
        _check_version(folder, path)
        if not path.exists():
            made = {name: secrets.token_hex(KEY_BYTES) for name in ("secret_key", "master_key")}
            _write_once(path, json.dumps(made, indent=2) + "\n")
            _write_once(folder / "version", f"{DATA_VERSION}\n")
        held = json.loads(path.read_text("utf-8"))
        keys = {name: bytes.fromhex(held[name]) for name in ("secret_key", "master_key")}
    except OSError as error:
        raise UserError(
            f"The data folder cannot be used: {error.strerror}.",
            str(error.filename or folder),
            "Give this user the right to write there and room on the disk, or choose another with --data.",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError("The file of keys is damaged.", str(path), "Restore it from a backup.") from error
    if any(len(key) != KEY_BYTES for key in keys.values()):
        raise UserError("A key in the file of keys is cut.", str(path), "Restore it from a backup.")
    return keys


def _check_version(folder: Path, keys: Path) -> None:
    stamp = folder / "version"
    if not stamp.exists():
        return
    found = stamp.read_text("utf-8").strip()
    if found != str(DATA_VERSION):
        raise UserError(
            f"The data folder is of version {found}; this program works with version {DATA_VERSION}.",
            str(folder),
            "Start the release of Tongshang that made it, or choose another folder with --data.",
        )
    if not keys.exists():
        raise UserError(
            "The keys of this data folder are gone. New ones could not open what the old ones encrypted.",
            str(keys),
            "Restore the file from a backup, or choose another folder with --data.",
        )


def _write_once(path: Path, text: str) -> None:
    """Create a private file whole or not at all; whoever comes second keeps what the first one wrote."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if not path.exists():
            try:
                os.link(draft, path)
            except FileExistsError:
                return
    finally:
        os.unlink(draft)

"""Wheels made in memory: a plugin with a table of its own, and everything that can be wrong with one."""

import base64
import io
import stat
import zipfile
from collections.abc import Mapping, Sequence
from hashlib import sha256

MANIFEST = """name = "{name}"
title = {{ zh = "插件{name}", en = "Plugin {name}" }}
summary = {{ zh = "试用", en = "Made for a test" }}
category = "trade"
core = "{core}"
version = "{version}"
licence = "MIT"
requires = {requires}
"""
INIT = """import tongshang as ts
from tongshang import hookimpl
{model}
{early}

@hookimpl
def register_permissions():
    return [ts.Permission("{permission}", "Use it", ("admin",))]
{more}
"""
MODEL = """from sqlalchemy.orm import Mapped
import tongshang as ts


class Note(ts.TenantOwned, ts.Model):
    __tablename__ = "note"
    __table_args__ = ({{"schema": "plugin_{name}"}},)
    id: Mapped[ts.uuid_pk]
    said: Mapped[str]
"""
STEP = """from alembic import op
revision = "{name}_{no}"
down_revision = {before}


def upgrade():
    for line in {lines!r}:
        op.execute(line)
"""
MINE = "tenant_id = (SELECT ts.tenant())"
REACH = "ts_app, ts_worker, ts_plugin"


def table(name: str, what: str = "note", *, forced: bool = True, policy: str = MINE) -> list[str]:
    """The lines of a migration that makes a table the way it should be, or the way that was asked for."""
    full = f"plugin_{name}.{what}"
    lines = [
        f"GRANT USAGE ON SCHEMA plugin_{name} TO {REACH}",
        f"CREATE TABLE {full} (tenant_id uuid NOT NULL, id uuid PRIMARY KEY, said text NOT NULL)",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {full} TO {REACH}",
    ]
    if forced:
        lines += [f"ALTER TABLE {full} ENABLE ROW LEVEL SECURITY", f"ALTER TABLE {full} FORCE ROW LEVEL SECURITY"]
        lines += [f"CREATE POLICY tenant_all ON {full} TO {REACH} USING ({policy}) WITH CHECK ({policy})"]
    return lines


def wheel(
    name: str,
    version: str = "1.0",
    *,
    steps: Sequence[Sequence[str]] | None = None,
    core: str = ">=0.1,<2",
    requires: Sequence[str] = (),
    libraries: Sequence[str] = (),
    early: str = "",
    more: str = "",
    permission: str = "",
    inside: str = "",
    points: Sequence[str] = (),
    files: Mapping[str, str] | None = None,
    links: Sequence[str] = (),
) -> bytes:
    """A plugin's wheel. `steps` are the lines of each migration (None: one table), `early` runs at import, `more` follows.

    `inside` is another name for the manifest, `points` are more entry points, `files` more entries, `links` are symlinks.
    """
    package = f"made_{name}"
    held = [table(name)] if steps is None else steps
    content = {
        f"{package}/__init__.py": INIT.format(
            model=f"from {package}.model import Note" if held else "", early=early, more=more,
            permission=permission or f"{name}.use",
        ),
        f"{package}/plugin.toml": MANIFEST.format(
            name=inside or name, core=core, version=version, requires=list(requires)
        ),
        **({f"{package}/model.py": MODEL.format(name=name)} if held else {}),
        **{
            f"{package}/migrations/s{no}.py": STEP.format(
                name=name, no=no, before=repr(f"{name}_{no - 1}") if no else None, lines=list(lines)
            )
            for no, lines in enumerate(held)
        },
        **(files or {}),
    }  # fmt: skip
    entry = "\n".join(["[tongshang.plugins]", f"{name} = {package}", *(f"{each} = {package}" for each in points)])
    return packed(package, version, content, libraries, entry, links)


def library(name: str, version: str) -> bytes:
    """A wheel that brings no plugin."""
    return packed(name, version, {f"{name}/__init__.py": f"VERSION = {version!r}\n"})


def packed(
    package: str,
    version: str,
    content: Mapping[str, str],
    needs: Sequence[str] = (),
    entry: str = "",
    links: Sequence[str] = (),
) -> bytes:
    info = f"{package}-{version}.dist-info"
    about = [f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}", *(f"Requires-Dist: {each}" for each in needs)]
    entries = {
        **content,
        f"{info}/METADATA": "\n".join(about) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **({f"{info}/entry_points.txt": entry + "\n"} if entry else {}),
    }
    entries[f"{info}/RECORD"] = "".join(f"{path},{_hash(text)},{len(text.encode())}\n" for path, text in entries.items())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in entries.items():
            archive.writestr(path, text)
        for path in links:
            link = zipfile.ZipInfo(path)
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, "/etc/passwd")
    return out.getvalue()


def file_name(name: str, version: str = "1.0", tag: str = "py3-none-any") -> str:
    return f"made_{name}-{version}-{tag}.whl"


def _hash(text: str) -> str:
    return "sha256=" + base64.urlsafe_b64encode(sha256(text.encode()).digest()).rstrip(b"=").decode()

"""The hostile plugins of the folder `plugins`, packed as their authors would hand them in."""

from pathlib import Path

from tests.host.life.wheels import file_name, packed, wheel

FOLDER = Path(__file__).parent / "plugins"
MISBEHAVING = ("raises", "exits", "sleeps", "breaks", "commits", "grows", "foreign", "writes_core")
NOT_LET_IN = ("half_migrated", "collides", "no_permission", "wrong_core")


def hostile_wheel(name: str) -> tuple[str, bytes]:
    """(file name, content) of one of them."""
    package, folder = f"hostile_{name}", FOLDER / name
    content = {
        f"{package}/{path.relative_to(folder).as_posix()}": path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".py", ".toml")
    }
    return f"{package}-1.0-py3-none-any.whl", packed(package, "1.0", content, entry=f"[tongshang.plugins]\n{name} = {package}")


STEP = """from alembic import op
revision = "step_0"
down_revision = None


def upgrade():
    op.execute("CREATE TABLE plugin_{name}.first (id uuid PRIMARY KEY)")
    {line}
"""


def migrating_wheel(name: str, line: str) -> tuple[str, bytes]:
    """A plugin whose one migration makes a table and then does this."""
    step = {f"made_{name}/migrations/s0.py": STEP.format(name=name, line=line)}
    return file_name(name), wheel(name, steps=[], files=step)

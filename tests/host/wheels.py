"""A tiny wheel, zipped by hand: a plugin of one module that does nothing."""

import io
import zipfile

from tests.host.conftest import MANIFEST


def tiny_wheel(name: str = "tiny", version: str = "1.0", core: str = ">=0.1,<2", code: str = "") -> tuple[str, bytes]:
    """(file name, content) of a plugin `name`."""
    package, held = f"strange_{name}", io.BytesIO()
    info = f"{package}-{version}.dist-info"
    files = {
        f"{package}/__init__.py": code,
        f"{package}/plugin.toml": MANIFEST.format(name=name, core=core, more=""),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[tongshang.plugins]\n{name} = {package}\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(held, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return f"{package}-{version}-py3-none-any.whl", held.getvalue()

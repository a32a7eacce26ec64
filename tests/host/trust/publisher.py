"""A publisher of a test: a key of its own, and wheels signed with it."""

from dataclasses import dataclass, field
from pathlib import Path

from core.host.trust.secret import SecretKey


@dataclass
class Maker:
    """Somebody who makes plugins."""

    name: str = "Acme"
    key: SecretKey = field(default_factory=SecretKey.make)

    @property
    def line(self) -> str:
        return self.key.public.line

    @property
    def key_id(self) -> str:
        return self.key.public.id

    def signature(self, filename: str, content: bytes) -> str:
        return self.key.sign(content, filename, self.name).text

    def put(self, folder: Path, filename: str, content: bytes, signed: bool = True) -> Path:
        """Lay a wheel into a folder, with its signature beside it."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / filename).write_bytes(content)
        if signed:
            (folder / f"{filename}.minisig").write_text(self.signature(filename, content), encoding="utf-8")
        return folder / filename

"""Keep a file, list the files of something, read one back."""

import hashlib
import unicodedata
from uuid import UUID

from sqlalchemy import select

from core.files.model import FileContent, StoredFile
from core.kernel import Context, Invalid, NotFound, uuid7

LIMIT = 20 * 1024 * 1024
MAGIC = {
    b"%PDF-": ("application/pdf", (".pdf",)),
    b"\x89PNG\r\n\x1a\n": ("image/png", (".png",)),
    b"\xff\xd8\xff": ("image/jpeg", (".jpg", ".jpeg")),
    b"PK\x03\x04": ("application/zip", (".xlsx", ".docx", ".zip")),
}
TEXT = {".csv": "text/csv", ".txt": "text/plain", ".xml": "application/xml"}


def keep(
    ctx: Context, name: str, content: bytes, subject_kind: str, subject_id: UUID, other_id: UUID | None = None
) -> StoredFile:
    """Keep a file about something; `other_id` lets the counterparty read it. The type comes from the bytes."""
    ctx.require("file.add")
    clean, media_type = inspect(name, content)
    row = StoredFile(
        id=uuid7(), tenant_id=ctx.tenant_id, other_id=other_id, sha256=hashlib.sha256(content).digest(), name=clean,
        media_type=media_type, size=len(content), subject_kind=subject_kind, subject_id=subject_id,
        added_by=ctx.actor.name, added_at=ctx.now,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    ctx.session.add(FileContent(file_id=row.id, tenant_id=ctx.tenant_id, other_id=other_id, content=content))
    ctx.session.flush()
    ctx.record("file.add", row, name=clean, size=len(content), about=f"{subject_kind}:{subject_id}")
    return row


def inspect(name: str, content: bytes) -> tuple[str, str]:
    """A file's safe name and its media type, which comes from its bytes. Invalid for one that is not taken."""
    clean = _clean(name)
    if not content:
        raise Invalid.one("file", "file.empty", name=clean)
    if len(content) > LIMIT:
        raise Invalid.one("file", "file.too_large", name=clean, limit=LIMIT // (1024 * 1024))
    return clean, _type(clean, content)


def files_of(ctx: Context, subject_kind: str, subject_id: UUID) -> list[StoredFile]:
    """The files about something that this tenant may see, newest first. One statement."""
    found = ctx.session.scalars(
        select(StoredFile)
        .where(StoredFile.subject_kind == subject_kind, StoredFile.subject_id == subject_id)
        .order_by(StoredFile.id.desc())
    )
    return list(found)


def read(ctx: Context, file_id: UUID) -> tuple[StoredFile, bytes]:
    """A file with its bytes; a foreign one answers like a missing one."""
    ctx.require("file.view")
    row = ctx.session.get(StoredFile, file_id)
    content = ctx.session.get(FileContent, file_id)
    if row is None or content is None:
        raise NotFound("file.not_found")
    return row, content.content


def _clean(name: str) -> str:
    """The last part of the name, without control characters, at most 120 characters with its ending."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(char for char in last if char.isprintable()).strip(". ")
    if not plain:
        raise Invalid.one("file", "file.no_name")
    stem, dot, ending = plain.rpartition(".")
    return plain if len(plain) <= 120 else f"{(stem or ending)[:100]}{dot}{ending[:15]}"


def _type(name: str, content: bytes) -> str:
    ending = f".{name.rpartition('.')[2].lower()}" if "." in name else ""
    for magic, (media_type, endings) in MAGIC.items():
        if content.startswith(magic):
            if ending in endings:
                return media_type
            raise Invalid.one("file", "file.wrong_ending", name=name, endings=", ".join(endings))
    if ending in TEXT and b"\x00" not in content[:65536]:
        return TEXT[ending]
    raise Invalid.one("file", "file.unknown_type", name=name)

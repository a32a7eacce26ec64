"""A file has a name, a subject and its bytes, with their hash.

The bytes lie in the database: a web process needs no shared disk, a backup has rows and files of one moment, and
row-level security covers both. Twenty megabytes is the most a file may have.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Append, Model, Shared, uuid_pk


class StoredFile(Append, Shared, Model):
    """A file as it was handed in. `other_id` is the counterparty that may read it too."""

    __tablename__ = "stored_file"
    __table_args__ = (
        Index("ix_stored_file_subject", "subject_kind", "subject_id"),
        CheckConstraint("size > 0 AND size <= 20971520", name="size"),
    )

    id: Mapped[uuid_pk]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    added_by: Mapped[str]
    added_at: Mapped[datetime]


class FileContent(Append, Shared, Model):
    """The bytes of one file; readable by whoever may read the file."""

    __tablename__ = "file_content"

    file_id: Mapped[UUID] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)

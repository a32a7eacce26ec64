"""Files people hand in: kept by content, served only to who may see them, never run and never shown inline."""

from core.files.model import FileContent, StoredFile
from core.files.service import files_of, inspect, keep, read

__all__ = ["FileContent", "StoredFile", "files_of", "inspect", "keep", "read"]

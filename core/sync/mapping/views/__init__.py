"""The pages of a mapping: tables, rules both ways with a preview, values without a counterpart, versions."""

from core.sync.mapping.views import rules, tables, unmapped, versions

__all__ = ["rules", "tables", "unmapped", "versions"]

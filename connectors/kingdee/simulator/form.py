"""What a form is: its keys, its references, what it asks for."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    """Lines of a document. `priced` lines are worth quantity times price, as those of an order are."""

    key: str
    references: dict[str, str]
    fields: tuple[str, ...]
    required: dict[str, str] = field(default_factory=dict)  # field -> its Chinese title
    pk: str = "FEntryID"
    priced: bool = False
    quantity: str = "FQty"  # of a priced line

    @property
    def id_key(self) -> str:
        """The key of the line's id in queries."""
        return f"{self.key}_{self.pk}"

    def has(self, key: str) -> bool:
        return key in (self.id_key, *self.references, *self.fields)


@dataclass(frozen=True)
class Form:
    id: str
    title: str
    pk: str
    number: str  # the key of its number; "" when documents of the form have none
    references: dict[str, str]  # field -> form it points to
    fields: tuple[str, ...]
    required: dict[str, str] = field(default_factory=dict)
    finance: str = ""  # key of the finance sub-head
    finance_references: dict[str, str] = field(default_factory=dict)
    finance_fields: tuple[str, ...] = ()
    finance_required: dict[str, str] = field(default_factory=dict)
    entry: Entry | None = None
    more: tuple[Entry, ...] = ()  # further kinds of lines
    org: str = ""  # the field that says which organisation a document belongs to
    is_bill: bool = False
    prefix: str = ""  # of the numbers it gives by itself

    @property
    def entries(self) -> tuple[Entry, ...]:
        return (self.entry, *self.more) if self.entry else ()

    @property
    def status_fields(self) -> tuple[str, ...]:
        common = ("FDocumentStatus", "FModifyDate", "FCreateDate", "FApproveDate")
        own = ("FCancelStatus", "FCloseStatus") if self.is_bill else ("FForbidStatus", "FForbidDate")
        return (*common, *own)

    def entry_of(self, key: str) -> Entry | None:
        """The lines a field key belongs to; None for a key of the head."""
        if self.entry and key == self.entry.pk:
            return self.entry
        return next((entry for entry in self.entries if entry.has(key)), None)

    def all_keys(self) -> list[str]:
        """Every field key of the form, as a metadata query lists them."""
        keys = [self.pk, self.number, *self.references, *self.fields, *self.status_fields]
        keys += [*self.finance_references, *self.finance_fields]
        for entry in self.entries:
            keys += [entry.id_key, *entry.references, *entry.fields]
        return [key for key in keys if key]

    def target_of(self, key: str) -> str | None:
        """The form a reference points to; None for a plain field."""
        for entry in self.entries:
            if key in entry.references:
                return entry.references[key]
        return self.references.get(key) or self.finance_references.get(key)

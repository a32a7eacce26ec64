"""A form drawn once more, with what was typed in it and what is wrong with it.

Whoever brings a dialog draws its fields from facts and knows nothing of refusals. When its act is refused, the same
fields are drawn again and pass through here: every field holds what was typed, the ones at fault are marked and described
by their sentence, and the first of them takes the focus. It works on the finished HTML, so a form needs no word for it.

    again = refill(html, request.form.to_dict(flat=False), {"quantity": ["This is not a number"]})
    again.html      the fields, for the template
    again.faults    what the summary on top says, each with the field it leads to
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

from flask import get_template_attribute
from markupsafe import Markup, escape

Typed = Mapping[str, Sequence[str]]
Errors = Mapping[str, Sequence[str]]
Attrs = list[tuple[str, str | None]]
VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"))
UNTYPED = frozenset(("hidden", "submit", "button", "reset", "image", "file", "password"))
"""Inputs that hold nothing a person typed, or nothing that may be written into a page again."""
TICKED = ("checkbox", "radio")


@dataclass(frozen=True)
class Fault:
    """A sentence of the summary. `id` is the field at fault and `label` its name, both empty where it is no field's."""

    sentence: str
    id: str = ""
    label: str = ""


@dataclass(frozen=True)
class Refilled:
    """The fields once more. `at_fault` says whether one of them takes the focus, or the summary has to."""

    html: Markup
    faults: tuple[Fault, ...]

    @property
    def at_fault(self) -> bool:
        return any(fault.id for fault in self.faults)


def refill(html: str, typed: Typed, errors: Errors) -> Refilled:
    """The form's fields with the typed values and the errors, both by the fields' names.

    A field that was not sent keeps what it shows, but boxes are ticked only if they were. Passwords, files and hidden
    fields stay as they are. An error whose field the form does not have stands in the summary alone.
    """
    filler = _Filler(typed, errors)
    filler.feed(html)
    filler.close()
    return Refilled(Markup("".join(filler.out)), filler.faults())


@dataclass
class _Open:
    """An element that is open, and the marks to be written at its end."""

    tag: str
    frame: bool
    marks: str = ""


@dataclass
class _Place:
    """A field found at fault: where the summary leads to, and what it is called."""

    id: str
    label: str


class _Filler(HTMLParser):
    """Copies HTML as it stands, except for the fields."""

    def __init__(self, typed: Typed, errors: Errors) -> None:
        super().__init__(convert_charrefs=False)
        self.typed, self.errors = typed, errors
        self.out: list[str] = []
        self.open: list[_Open] = []
        self.places: dict[str, _Place] = {}
        self.labels: dict[str, str] = {}
        self.labelled: str | None = None
        self.legend = ""
        self.chosen: Sequence[str] | None = None
        self.replaced = False
        self.icon: str = get_template_attribute("macros/ui.html", "icon")("warn")

    def faults(self) -> tuple[Fault, ...]:
        """In the order of the fields, then what concerns none of them."""
        found = []
        for name, place in self.places.items():
            label = place.label or self.labels.get(place.id, "").strip()
            found += [Fault(sentence, place.id, label) for sentence in self.errors[name]]
        for name, sentences in self.errors.items():
            if name not in self.places:
                found += [Fault(sentence) for sentence in sentences]
        return tuple(found)

    def handle_starttag(self, tag: str, attrs: Attrs) -> None:
        if self.replaced:
            return
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "input" and (given.get("type") or "text") not in UNTYPED:
            self._input(name, given)
        elif tag in ("select", "textarea"):
            self._write(tag, self._marked(name, given))
            self._open(tag, given)
            self._later(name, given)
            self._hold(tag, name)
        elif tag == "option" and self.chosen is not None:
            given.pop("selected", None)
            self._write(tag, {**given, "selected": None} if given.get("value") in self.chosen else given)
            self._open(tag, given)
        else:
            self.out.append(self.get_starttag_text() or "")
            if tag not in VOID:
                self._open(tag, given)
            self._name(tag, given)

    def handle_startendtag(self, tag: str, attrs: Attrs) -> None:
        if tag == "input":
            self.handle_starttag(tag, attrs)
        elif not self.replaced:
            self.out.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.replaced = False
        elif self.replaced:
            return
        if tag == "select":
            self.chosen = None
        if tag in ("label", "legend"):
            self.labelled = None
        here = next((index for index in reversed(range(len(self.open))) if self.open[index].tag == tag), None)
        closed = self.open.pop(here) if here is not None else None
        if closed and closed.tag == "fieldset":  # inside it: outside nobody would read it as the group's
            self.out.append(closed.marks)
        self.out.append(f"</{tag}>")
        if closed and closed.tag != "fieldset":
            self.out.append(closed.marks)

    def handle_data(self, data: str) -> None:
        if self.replaced:
            return
        self.out.append(data)
        if self.labelled == "":
            self.legend += data
        elif self.labelled:
            self.labels[self.labelled] = self.labels.get(self.labelled, "") + data

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")

    def _input(self, name: str, given: dict[str, str | None]) -> None:
        kind = given.get("type") or "text"
        sent = self.typed.get(name)
        if kind in TICKED:
            if sent is not None or kind == "checkbox":
                given.pop("checked", None)
                if given.get("value", "on") in (sent or ()):
                    given["checked"] = None
        elif sent:
            given["value"] = sent[0]
        fresh = name not in self.places
        self._write("input", self._marked(name, given) if fresh else given)
        if fresh:
            self._later(name, given)

    def _hold(self, tag: str, name: str) -> None:
        """What comes until the end tag gives way to what was typed."""
        sent = self.typed.get(name)
        if sent is None:
            return
        if tag == "select":
            self.chosen = sent
        else:
            self.out.append("\n" + str(escape(sent[0])) if sent else "")
            self.replaced = True

    def _marked(self, name: str, given: dict[str, str | None]) -> dict[str, str | None]:
        """The attributes of a field; at fault it says so, and the first one at fault takes the focus."""
        if name not in self.errors:
            return given
        place = given.setdefault("id", "f-" + name.replace(".", "-")) or ""
        marked = dict(given)
        if given.get("type") not in TICKED:
            marked["aria-invalid"] = "true"
        marked["aria-describedby"] = " ".join(filter(None, (f"{place}-e", given.get("aria-describedby"))))
        if not self.places:
            marked |= {"autofocus": None, "data-focus": None}
        return marked

    def _later(self, name: str, given: dict[str, str | None]) -> None:
        """Note the sentence for the end of whatever frames the field."""
        if name not in self.errors or name in self.places:
            return
        place = given.get("id") or ""
        grouped = given.get("type") in TICKED
        label = self.legend.strip() if grouped and self.legend else given.get("aria-label") or ""
        self.places[name] = _Place(place, label)
        marks = "".join(
            f'<span class="err" id="{escape(place)}-e{index or ""}">{self.icon}{escape(sentence)}</span>'
            for index, sentence in enumerate(self.errors[name])
        )
        frames = [each for each in self.open if each.frame and (grouped or each.tag != "fieldset")]
        groups = [each for each in frames if each.tag == "fieldset"]
        own = self.open[-1] if self.open and self.open[-1].tag in ("select", "textarea") else None
        frame = groups[-1] if groups else frames[0] if frames else own
        if frame is None:
            self.out.append(marks)
        else:
            frame.marks += marks

    def _open(self, tag: str, given: dict[str, str | None]) -> None:
        framing = tag in ("label", "fieldset") or "inp-g" in (given.get("class") or "").split()
        self.open.append(_Open(tag, framing))

    def _name(self, tag: str, given: dict[str, str | None]) -> None:
        """Listen to what a label or a legend says, up to whatever stands inside it."""
        if tag == "fieldset":
            self.legend = ""
        if tag == "legend":
            self.labelled = ""
        elif tag == "label" and given.get("for"):
            self.labelled = given["for"]
        elif self.labelled is not None:
            self.labelled = None

    def _write(self, tag: str, given: Mapping[str, str | None]) -> None:
        shown = "".join(f" {name}" if value is None else f' {name}="{escape(value)}"' for name, value in given.items())
        self.out.append(f"<{tag}{shown}>")

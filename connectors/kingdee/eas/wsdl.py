"""A WSDL given as text, read by zeep: which calls it knows, what they take, and a way to make them at our own address.

Traps of Axis 1.4 that end here: the types come from the SOAP 1.1 encoding schema, which is put in from our
own folder and never fetched; the address inside is the server's own idea of its name and is not used; of overloaded operations
only one survives the reading, and which one changes from server start to server start, so its signature is read.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.kingdee.eas.envelope import Unreadable, read

if TYPE_CHECKING:
    from lxml.etree import _Element

ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
SCHEMA = Path(__file__).parent / "schemas" / "soap-encoding.xsd"
PLACE = "soap-encoding-schema"
LARGEST = 1_000_000  # characters of a WSDL
WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
XSD = "{http://www.w3.org/2001/XMLSchema}"
DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
WHOLE = {"int", "integer", "long", "short", "byte"}


class Unusable(ValueError):
    """The text is no WSDL we take: not readable, leading elsewhere, or without what is needed."""


@dataclass(frozen=True)
class Part:
    """One argument of an operation."""

    name: str
    whole: bool  # a whole number; else text


def nothing_else(url: object) -> bytes:
    """What is loaded besides the document itself: nothing, from the network or from files. Raises Unusable."""
    raise Unusable(f"leads to {str(url)[:100]}: upload one whole document")


class Description:
    """One WSDL. `transport` carries the calls (`post_xml`) and loads nothing (`load`)."""

    def __init__(self, text: str, transport: Any) -> None:
        """Raises Unusable."""
        from lxml import etree
        from zeep import Client, Settings
        from zeep.exceptions import Error

        if len(text) > LARGEST:
            raise Unusable(f"longer than {LARGEST} characters")
        try:
            # It comes as text; whatever encoding the file once had and still names is no longer true.
            root = read(DECLARATION.sub("", text.removeprefix("\ufeff")).encode())
        except Unreadable as error:
            raise Unusable(str(error)) from None
        _stays_here(root)
        document = _with_encoding(root)
        told = Settings(
            strict=False, forbid_dtd=True, forbid_entities=True, forbid_external=True, xml_huge_tree=False
        )
        try:
            self._client = Client(io.BytesIO(document), transport=transport, settings=told)
            self._binding = self._rpc()
        except Unusable:
            raise
        except (
            Error,
            etree.LxmlError,
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
            RuntimeError,
            Warning,  # zeep warns of operations that are declared nowhere; a strict process makes that an error
        ) as error:
            raise Unusable(f"{type(error).__name__}: {error}"[:300]) from error

    def _rpc(self) -> Any:
        """The first SOAP 1.1 binding of a port, else of the document."""
        from zeep.wsdl.bindings.soap import Soap11Binding

        ports = [
            port.binding for service in self._client.wsdl.services.values() for port in service.ports.values()
        ]
        for binding in [*ports, *self._client.wsdl.bindings.values()]:
            if isinstance(binding, Soap11Binding):
                return binding
        raise Unusable("no SOAP 1.1 binding")

    @property
    def operations(self) -> tuple[str, ...]:
        return tuple(self._binding._operations)

    def parts(self, operation: str) -> tuple[Part, ...]:
        """What the operation takes, in order; of overloads, what the one takes that survived. Raises Unusable."""
        if operation not in self._binding._operations:
            raise Unusable(
                f"no operation {operation}; there are {', '.join(sorted(self.operations)) or 'none'}"
            )
        return tuple(_part(operation, name, element.type) for name, element in self._elements(operation))

    def _elements(self, operation: str) -> Sequence[tuple[str, Any]]:
        body = self._binding._operations[operation].input.body
        return tuple(getattr(getattr(body, "type", None), "elements", ()))

    def call(
        self, operation: str, url: str, values: Sequence[str | int], headers: Sequence[_Element] = ()
    ) -> Any:
        """The value of one call at `url`, soapenc wrappers taken off; raises whatever zeep and the transport raise."""
        proxy = self._client.create_service(self._binding.name, url)
        elements = self._elements(operation)
        wrapped = [
            _wrapped(element.type, value) for (_, element), value in zip(elements, values, strict=True)
        ]
        return unwrapped(proxy[operation](*wrapped, _soapheaders=list(headers)))


def _part(operation: str, name: str, kind: Any) -> Part:
    from zeep.xsd import ComplexType

    its = getattr(kind, "qname", None)
    if its is None or (isinstance(kind, ComplexType) and its.namespace != ENCODING):
        raise Unusable(f"{operation} takes {name}, which is neither text nor a number")
    return Part(name, its.localname in WHOLE)


def unwrapped(value: Any) -> Any:
    """`soapenc:string` arrives as an object around its text: the text; anything else as it is."""
    inner = getattr(value, "__values__", None)
    if inner is None:
        inner = value if isinstance(value, dict) else None
    return inner["_value_1"] if inner is not None and "_value_1" in inner else value


def _wrapped(kind: Any, value: str | int) -> Any:
    """A value as zeep wants it. `soapenc:string` has attributes; given plain text, zeep looks for their names in it
    (`"id" in value`) and stumbles over every text that happens to contain them.
    """
    from zeep.xsd import ComplexType

    return {"_value_1": value} if isinstance(kind, ComplexType) else value


def member(value: Any, name: str) -> Any:
    """A member of a bean that was answered, unwrapped; None where there is none."""
    inner = getattr(value, "__values__", None)
    if inner is None or name not in inner:
        return None
    return unwrapped(inner[name])


def _stays_here(root: _Element) -> None:
    """Refuse every reference out of the document, groups, and unions.

    Groups of groups and unions of unions double with every step when zeep unfolds them; Axis writes none.
    """
    if root.tag != f"{WSDL}definitions":
        raise Unusable("no WSDL: the root is not wsdl:definitions")
    for element in root.iter():
        if element.tag in (f"{WSDL}import", f"{XSD}include", f"{XSD}redefine"):
            raise Unusable("parts in other files: upload one whole document")
        if element.tag in (f"{XSD}group", f"{XSD}attributeGroup"):
            raise Unusable("groups of elements or attributes are not taken")
        if element.tag == f"{XSD}union":
            raise Unusable("unions of types are not taken")
        where = element.get("schemaLocation") if element.tag == f"{XSD}import" else None
        if where is not None and where.rstrip("/") != ENCODING.rstrip("/"):
            nothing_else(where)


def _with_encoding(root: _Element) -> bytes:
    """The document with our copy of the SOAP encoding schema inside, imported by name by every schema of it.

    Axis refers to its types and leaves the schema out; zeep would fetch it from its namespace's address.
    """
    from lxml import etree

    types = root.find(f"{WSDL}types")
    if types is None:
        types = etree.Element(f"{WSDL}types")
        root.insert(0, types)
    encoding = read(SCHEMA.read_bytes())
    for schema in [*types.findall(f"{XSD}schema"), encoding]:
        for told in schema.findall(f"{XSD}import"):
            if told.get("namespace") == ENCODING:
                schema.remove(told)
        # The encoding schema too: zeep forgets that it is at home there and goes for the network.
        schema.insert(0, etree.Element(f"{XSD}import", namespace=ENCODING))
    types.insert(0, etree.ProcessingInstruction(PLACE))
    # As text: moved between trees, the schema would lose the prefixes that its values use. No other instruction
    # can be in the document, for the reading drops them.
    return etree.tostring(root).replace(f"<?{PLACE} ?>".encode(), etree.tostring(encoding))

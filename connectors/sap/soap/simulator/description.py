"""WSDL in the three shapes a customer brings: SOAMANAGER, the old ICF service, and the asynchronous bulk service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from connectors.sap.soap.simulator.functions import DAY, FUNCTIONS, WRAPPERS, Function, Table

SPACE = "urn:sap-com:document:sap:rfc:functions"
BULK_SPACE = "http://sap.com/xi/SD-SLS"
INNER_HOST = (
    "sapecc01.corp.example"  # a WSDL carries the name inside the customer's house; nobody may call it
)
TYPES = {"text": "xsd:string", "decimal": "xsd:decimal", "int": "xsd:int"}


def soamanager(
    names: Sequence[str] = WRAPPERS, service: str = "zts_orders", more: Mapping[str, Function] | None = None
) -> str:
    """Document/literal with sequences, `Response` elements, ports for SOAP 1.1 and 1.2, and a policy nobody needs."""
    functions = {name: {**FUNCTIONS, **(more or {})}[name] for name in names}
    tables: dict[str, Table] = {}
    elements = []
    for name, function in functions.items():
        elements.append(_element(name, function.takes, tables, "sequence", required=False))
        elements.append(_element(f"{name}Response", function.gives, tables, "sequence", required=True))
    types = "".join(
        f"<xsd:complexType name={quoteattr(t.row)}><xsd:sequence>{_fields(t.fields, {}, False)}</xsd:sequence></xsd:complexType>"
        f"<xsd:complexType name={quoteattr('TABLE_OF_' + t.row)}><xsd:sequence>"
        f'<xsd:element name="item" type="tns:{t.row}" minOccurs="0" maxOccurs="unbounded"/>'
        "</xsd:sequence></xsd:complexType>"
        for t in tables.values()
    )
    ports = []
    bindings = []
    for suffix, space in (
        ("soap12", "http://schemas.xmlsoap.org/wsdl/soap12/"),
        ("", "http://schemas.xmlsoap.org/wsdl/soap/"),
    ):
        port = f"{service}_b{('_' + suffix) if suffix else ''}"
        operations = "".join(
            f'<wsdl:operation name="{n}"><s:operation soapAction="{SPACE}:{service}:{n}Request" style="document"/>'
            '<wsdl:input><s:body use="literal"/></wsdl:input><wsdl:output><s:body use="literal"/></wsdl:output></wsdl:operation>'
            for n in functions
        )
        bindings.append(
            f'<wsdl:binding name="{port}" type="tns:{service}" xmlns:s="{space}">'
            f'<s:binding transport="http://schemas.xmlsoap.org/soap/http" style="document"/>{operations}</wsdl:binding>'
        )
        ports.append(
            f'<wsdl:port name="{port}" binding="tns:{port}" xmlns:s="{space}">'
            f'<s:address location="https://{INNER_HOST}:44300/sap/bc/srt/rfc/sap/{service}/100/{service}/b"/></wsdl:port>'
        )
    messages, port_type = _abstract(functions, "Response")
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<wsdl:definitions targetNamespace="{SPACE}" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" '
        f'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:tns="{SPACE}" '
        'xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy">'
        '<wsp:UsingPolicy/><wsp:Policy><sapattahnd:Enabled xmlns:sapattahnd="http://www.sap.com/710/features/attachment/">'
        "false</sapattahnd:Enabled></wsp:Policy>"
        f'<wsdl:types><xsd:schema attributeFormDefault="qualified" targetNamespace="{SPACE}">'
        '<xsd:simpleType name="date10"><xsd:restriction base="xsd:string"><xsd:maxLength value="10"/></xsd:restriction>'
        f"</xsd:simpleType>{types}{''.join(elements)}</xsd:schema></wsdl:types>{messages}"
        f'<wsdl:portType name="{service}">{port_type}</wsdl:portType>{"".join(bindings)}'
        f'<wsdl:service name="{service}_srv">{"".join(ports)}</wsdl:service></wsdl:definitions>'
    )


def icf(name: str, more: Mapping[str, Function] | None = None) -> str:
    """One function as /sap/bc/soap/wsdl describes it: xsd:all, unqualified children, `.Response`."""
    function = {**FUNCTIONS, **(more or {})}[name]
    tables: dict[str, Table] = {}
    body = _element(name, function.takes, tables, "all", required=False)
    body += _element(f"{name}.Response", function.gives, tables, "all", required=False)
    types = "".join(
        f"<xsd:complexType name={quoteattr(t.row)}><xsd:sequence>{_fields(t.fields, {}, False)}</xsd:sequence></xsd:complexType>"
        f"<xsd:complexType name={quoteattr('TABLE_OF_' + t.row)}><xsd:sequence>"
        f'<xsd:element name="item" type="tns:{t.row}" minOccurs="0" maxOccurs="unbounded"/>'
        "</xsd:sequence></xsd:complexType>"
        for t in tables.values()
    )
    messages, port_type = _abstract({name: function}, ".Response")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<wsdl:definitions targetNamespace="{SPACE}" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" '
        f'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:tns="{SPACE}" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/">'
        f'<wsdl:types><xsd:schema targetNamespace="{SPACE}">'
        '<xsd:simpleType name="date10"><xsd:restriction base="xsd:string"><xsd:maxLength value="10"/></xsd:restriction>'
        f"</xsd:simpleType>{types}{body}</xsd:schema></wsdl:types>{messages}"
        f'<wsdl:portType name="{name}PortType">{port_type}</wsdl:portType>'
        f'<wsdl:binding name="{name}Binding" type="tns:{name}PortType">'
        '<s:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>'
        f'<wsdl:operation name="{name}"><s:operation soapAction="http://www.sap.com/{name}"/>'
        '<wsdl:input><s:body use="literal"/></wsdl:input><wsdl:output><s:body use="literal"/></wsdl:output></wsdl:operation>'
        f'</wsdl:binding><wsdl:service name="{name}Service"><wsdl:port name="{name}PortType" binding="tns:{name}Binding">'
        f'<s:address location="http://{INNER_HOST}:8000/sap/bc/soap/rfc"/></wsdl:port></wsdl:service></wsdl:definitions>'
    )


def bulk() -> str:
    """The asynchronous order service, one-way, in the shape of S/4HANA's; cut down to the fields an order of ours has."""

    def texts(*names: str) -> str:
        return "".join(f'<xsd:element name="{n}" type="xsd:string" minOccurs="0"/>' for n in names)

    item = texts("SalesOrderItem", "Material") + (
        '<xsd:element name="RequestedQuantity" type="xsd:decimal" minOccurs="0"/>'
        + texts("RequestedQuantityUnit")
        + '<xsd:element name="GrossAmount" type="xsd:decimal" minOccurs="0"/>'
        + texts("SalesDocumentRjcnReason")
    )
    order = texts(
        "ActionCode",
        "SalesOrder",
        "SalesOrderType",
        "SalesOrganization",
        "DistributionChannel",
        "OrganizationDivision",
        "SoldToParty",
        "PurchaseOrderByCustomer",
        "CustomerPurchaseOrderDate",
        "TransactionCurrency",
        "RequestedDeliveryDate",
    )
    head = (
        '<xsd:element name="MessageHeader" minOccurs="0"><xsd:complexType><xsd:sequence>'
        + texts("ID", "CreationDateTime", "SenderBusinessSystemID")
        + "</xsd:sequence></xsd:complexType></xsd:element>"
    )
    name, element = "SalesOrderBulkRequest_In", "SalesOrderBulkRequest"
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<wsdl:definitions targetNamespace="{BULK_SPACE}" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" '
        f'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:tns="{BULK_SPACE}" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/">'
        f'<wsdl:types><xsd:schema targetNamespace="{BULK_SPACE}">'
        f'<xsd:element name="{element}"><xsd:complexType><xsd:sequence>{head}'
        '<xsd:element name="SalesOrderBulkRequestMessage" maxOccurs="unbounded"><xsd:complexType><xsd:sequence>'
        f'<xsd:element name="SalesOrder"><xsd:complexType><xsd:sequence>{order}'
        f'<xsd:element name="Item" minOccurs="0" maxOccurs="unbounded"><xsd:complexType><xsd:sequence>{item}'
        "</xsd:sequence></xsd:complexType></xsd:element></xsd:sequence></xsd:complexType></xsd:element>"
        "</xsd:sequence></xsd:complexType></xsd:element></xsd:sequence></xsd:complexType></xsd:element></xsd:schema></wsdl:types>"
        f'<wsdl:message name="{name}"><wsdl:part name="parameters" element="tns:{element}"/></wsdl:message>'
        f'<wsdl:portType name="{name}"><wsdl:operation name="{name}"><wsdl:input message="tns:{name}"/>'
        "</wsdl:operation></wsdl:portType>"
        f'<wsdl:binding name="binding" type="tns:{name}">'
        '<s:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>'
        f'<wsdl:operation name="{name}"><s:operation soapAction="{BULK_SPACE}/{name}/{element}Request"/>'
        '<wsdl:input><s:body use="literal"/></wsdl:input></wsdl:operation></wsdl:binding>'
        f'<wsdl:service name="service"><wsdl:port name="binding" binding="tns:binding">'
        f'<s:address location="https://{INNER_HOST}:44300/sap/bc/srt/scs_ext/sap/salesorderbulkrequest_in"/>'
        "</wsdl:port></wsdl:service></wsdl:definitions>"
    )


def _element(name: str, fields: Any, tables: dict[str, Table], group: str, *, required: bool) -> str:
    return (
        f"<xsd:element name={quoteattr(name)}><xsd:complexType><xsd:{group}>"
        f"{_fields(fields, tables, required)}</xsd:{group}></xsd:complexType></xsd:element>"
    )


def _fields(fields: Any, tables: dict[str, Table], required: bool) -> str:
    told = []
    for name, kind in fields:
        if isinstance(kind, Table):
            tables[kind.row] = kind
            told.append(f'<xsd:element name="{escape(name)}" type="tns:TABLE_OF_{kind.row}" minOccurs="0"/>')
        else:
            least = "" if required else ' minOccurs="0"'
            told.append(f'<xsd:element name="{name}" type="{TYPES.get(kind, "tns:" + DAY)}"{least}/>')
    return "".join(told)


def _abstract(functions: Mapping[str, Function], suffix: str) -> tuple[str, str]:
    messages = "".join(
        f'<wsdl:message name="{n}"><wsdl:part name="parameters" element="tns:{n}"/></wsdl:message>'
        f'<wsdl:message name="{n}Response"><wsdl:part name="parameter" element="tns:{n}{suffix}"/></wsdl:message>'
        for n in functions
    )
    operations = "".join(
        f'<wsdl:operation name="{n}"><wsdl:input message="tns:{n}"/><wsdl:output message="tns:{n}Response"/></wsdl:operation>'
        for n in functions
    )
    return messages, operations

"""WSDLs as Axis 1.4 writes them, by us: what is used where a site uploaded none, and what the simulator hands out.

Nothing of Kingdee's is copied: the names of operations and arguments are facts, the document is ours.
"""

from __future__ import annotations

from collections.abc import Sequence

LOGIN_SPACE = "http://login.webservice.bos.kingdee.com"
FOREIGN = "http://eas-app-01:6888"  # the server's own idea of its name, as Axis writes it
FACADE = "WSSCMWebServiceFacade"
FACADE_SPACE = f"{FOREIGN}/ormrpc/services/{FACADE}"

TEXT, WHOLE, YES_NO, CONTEXT = "soapenc:string", "xsd:int", "xsd:boolean", "tns1:WSContext"
Operation = tuple[str, tuple[tuple[str, str], ...], str]  # name, arguments (name, type), type of the answer

_SIX = (
    ("userName", TEXT),
    ("password", TEXT),
    ("slnName", TEXT),
    ("dcName", TEXT),
    ("language", TEXT),
    ("dbType", WHOLE),
)
LOGOUT: Operation = ("logout", (_SIX[0], *_SIX[2:5]), YES_NO)
LOGINS: tuple[Operation, ...] = (
    ("login", _SIX, CONTEXT),
    ("login", (*_SIX, ("authPattern", TEXT)), CONTEXT),
    ("login", (*_SIX, ("authPattern", TEXT), ("isEncodePwd", WHOLE)), CONTEXT),
)
CALLS: tuple[Operation, ...] = (
    ("importBill", (("billType", TEXT), ("billDataJSON", TEXT), ("billStatus", WHOLE)), TEXT),
    *(
        (name, (("param", TEXT),), TEXT)
        for name in (
            "queryBill",
            "submitBill",
            "auditBill",
            "unauditBill",
            "cancelBill",
            "exportMaterials",
            "exportCustomers",
            "exportInventory",
        )
    ),
)
WS_CONTEXT = """
  <schema targetNamespace="urn:client" xmlns="http://www.w3.org/2001/XMLSchema">
   <import namespace="http://schemas.xmlsoap.org/soap/encoding/"/>
   <complexType name="WSContext">
    <sequence>
     <element name="dbType" type="xsd:int"/>
     <element name="dcName" nillable="true" type="soapenc:string"/>
     <element name="sessionId" nillable="true" type="soapenc:string"/>
     <element name="slnName" nillable="true" type="soapenc:string"/>
     <element name="userName" nillable="true" type="soapenc:string"/>
    </sequence>
   </complexType>
  </schema>
"""


def login_wsdl(overload: int = 1, host: str = FOREIGN) -> str:
    """`EASLogin`; the overload of that index stands last, and so is the one that survives a careless reading."""
    ordered = [one for at, one in enumerate(LOGINS) if at != overload % len(LOGINS)]
    return rpc("EASLogin", LOGIN_SPACE, (LOGOUT, *ordered, LOGINS[overload % len(LOGINS)]), WS_CONTEXT, host)


def facade_wsdl(host: str = FOREIGN) -> str:
    """The facade for bills and base data as docs/guides/connect-eas.md describes it."""
    return rpc(FACADE, FACADE_SPACE, CALLS, "", host)


def rpc(name: str, space: str, operations: Sequence[Operation], types: str, host: str) -> str:
    """One rpc/encoded service in Axis's shape."""
    messages, ports, binding = [], [], []
    for at, (operation, arguments, answer) in enumerate(operations):
        asked, answered = f"{operation}Request{at}", f"{operation}Response{at}"
        parts = "".join(f'<wsdl:part name="{part}" type="{kind}"/>' for part, kind in arguments)
        messages.append(f'<wsdl:message name="{asked}">{parts}</wsdl:message>')
        returned = f'<wsdl:part name="{operation}Return" type="{answer}"/>'
        messages.append(f'<wsdl:message name="{answered}">{returned}</wsdl:message>')
        order = " ".join(part for part, _ in arguments)
        ports.append(
            f'<wsdl:operation name="{operation}" parameterOrder="{order}">'
            f'<wsdl:input message="impl:{asked}" name="{asked}"/>'
            f'<wsdl:output message="impl:{answered}" name="{answered}"/></wsdl:operation>'
        )
        body = (
            '<wsdlsoap:body encodingStyle="http://schemas.xmlsoap.org/soap/encoding/" '
            f'namespace="{space}" use="encoded"/>'
        )
        binding.append(
            f'<wsdl:operation name="{operation}"><wsdlsoap:operation soapAction=""/>'
            f'<wsdl:input name="{asked}">{body}</wsdl:input>'
            f'<wsdl:output name="{answered}">{body}</wsdl:output></wsdl:operation>'
        )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<wsdl:definitions targetNamespace="{space}" xmlns:impl="{space}" xmlns:tns1="urn:client"
 xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/"
 xmlns:wsdlsoap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
 <wsdl:types>{types}</wsdl:types>
 {"".join(messages)}
 <wsdl:portType name="{name}SrvProxy">{"".join(ports)}</wsdl:portType>
 <wsdl:binding name="{name}SoapBinding" type="impl:{name}SrvProxy">
  <wsdlsoap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>{"".join(binding)}
 </wsdl:binding>
 <wsdl:service name="{name}SrvProxyService"><wsdl:port binding="impl:{name}SoapBinding" name="{name}">
  <wsdlsoap:address location="{host}/ormrpc/services/{name}"/></wsdl:port></wsdl:service>
</wsdl:definitions>
"""

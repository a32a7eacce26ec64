"""The description of a service (`$metadata`) and its list of sets, as a client asks for them before anything else."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from connectors.sap.odata.simulator.model import Field, Service, Set

EDMX = "http://schemas.microsoft.com/ado/2007/06/edmx"
M = "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"
SAP = "http://www.sap.com/Protocols/SAPData"
EDM = "http://schemas.microsoft.com/ado/2008/09/edm"


def metadata(service: Service) -> str:
    """The service in the description language of OData V2, with SAP's own marks."""
    types = "".join(_type(service, each) for each in service.sets.values())
    joins = [(each, name) for each in service.sets.values() for name in each.ways]
    associations = "".join(_association(service, each, name) for each, name in joins)
    sets = "".join(
        f'<EntitySet Name="{each.name}" EntityType="{service.name}.{each.type}" sap:content-version="1"/>'
        for each in service.sets.values()
    )
    links = "".join(_link(service, each, name) for each, name in joins)
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<edmx:Edmx Version="1.0" xmlns:edmx="{EDMX}" xmlns:m="{M}" xmlns:sap="{SAP}">'
        '<edmx:DataServices m:DataServiceVersion="2.0">'
        f'<Schema Namespace="{service.name}" xmlns="{EDM}">{types}{associations}'
        f'<EntityContainer Name="{service.name}_Entities" m:IsDefaultEntityContainer="true">{sets}{links}'
        "</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"
    )


def _type(service: Service, each: Set) -> str:
    keys = "".join(f'<PropertyRef Name="{name}"/>' for name in each.key)
    fields = "".join(_property(each, one) for one in each.fields.values())
    ways = "".join(
        f'<NavigationProperty Name="{name}" Relationship="{service.name}.{each.name}_{name}"'
        ' FromRole="From" ToRole="To"/>'
        for name in each.ways
    )
    return f'<EntityType Name="{each.type}"><Key>{keys}</Key>{fields}{ways}</EntityType>'


def _property(each: Set, one: Field) -> str:
    told = {"Name": one.name, "Type": one.type}
    if one.name in each.key:
        told["Nullable"] = "false"
    if one.kind == "s":
        told["MaxLength"] = str(one.length)
    if one.kind == "d":
        told |= {"Precision": str(one.length), "Scale": str(one.scale)}
    if one.kind in "tT":
        told["Precision"] = "0"
    if one.kind == "o":
        told["Precision"] = "7"
    if one.etag:
        told["ConcurrencyMode"] = "Fixed"
    if one.own:
        told |= {"sap:creatable": "false", "sap:updatable": "false"}
    return "<Property " + " ".join(f"{name}={quoteattr(value)}" for name, value in told.items()) + "/>"


def _association(service: Service, each: Set, name: str) -> str:
    way = each.ways[name]
    to = service.sets[way.to]
    return (
        f'<Association Name="{each.name}_{name}">'
        f'<End Type="{service.name}.{each.type}" Multiplicity="1" Role="From"/>'
        f'<End Type="{service.name}.{to.type}" Multiplicity="{"*" if way.many else "0..1"}" Role="To"/>'
        "</Association>"
    )


def _link(service: Service, each: Set, name: str) -> str:
    return (
        f'<AssociationSet Name="{each.name}_{name}_Set" Association="{service.name}.{each.name}_{name}">'
        f'<End EntitySet="{each.name}" Role="From"/><End EntitySet="{each.ways[name].to}" Role="To"/>'
        "</AssociationSet>"
    )

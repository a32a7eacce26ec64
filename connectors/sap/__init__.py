"""SAP, by three doors: OData services (`odata/`), SOAP from the customer's own WSDL, and IDoc.

Each door is a connector of its own with its own client, mapping and simulator. Nothing is shared between them but this
folder: they meet the same system through protocols that have no code in common.
"""

"""What a site has to tell for IDocs: both partners, the door, and the functions that read back."""

from __future__ import annotations

from connectors.sap.soap.settings import FILING, LOGIN, NAMING, READERS, WSDL
from tongshang.connect import Setting

SETTINGS = (
    *LOGIN,
    *WSDL,
    *READERS,
    Setting(
        "op_status",
        "Function to read the status of an IDoc",
        default="Z_TS_IDOC_STATUS",
        hint="By our key in ARCKEY; without it an IDoc that waits too long would be sent again",
    ),
    Setting("idoc_path", "Path of the IDoc service", required=True, default="/sap/bc/srt/idoc"),
    Setting(
        "door",
        "Door for IDocs",
        kind="choice",
        default="soap",
        choices=(("soap", "SOAP (/sap/bc/srt/idoc)"), ("xml", "Plain XML (/sap/bc/idoc_xml)")),
    ),
    Setting("our_port", "Our port", required=True, default="TONGSHANG", hint="SNDPOR, as in WE21"),
    Setting(
        "our_partner", "Our partner number", required=True, default="TONGSHANG", hint="SNDPRN, as in WE20"
    ),
    Setting("their_port", "SAP's port", required=True, hint="RCVPOR: SAP and the system id, such as SAPQAS"),
    Setting(
        "their_partner",
        "SAP's partner number",
        required=True,
        hint="RCVPRN: the logical system, such as QASCLNT100",
    ),
    Setting("iso_units", "ISO units", kind="pairs", hint="Only where they differ, one a line: pcs=PCE"),
    Setting("hear_user", "User SAP calls with", hint="Of the HTTP destination in SM59; empty hears nothing"),
    Setting("hear_password", "Password SAP calls with", kind="secret"),
    Setting(
        "gross_sum", "Total with tax of an invoice", default="011", hint="SUMID of the E1EDS01 that holds it"
    ),
    *FILING,
    *NAMING,
)

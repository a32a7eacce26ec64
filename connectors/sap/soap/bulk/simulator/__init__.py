"""The practice SAP of `connectors.sap.soap.simulator`: one server has functions, messages and IDocs."""

from connectors.sap.soap.simulator import Simulator

__all__ = ["Simulator"]

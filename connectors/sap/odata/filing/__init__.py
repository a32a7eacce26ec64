"""Documents of a buyer on their way into SAP: purchase orders and goods receipts. Sales orders are filed by the link itself."""

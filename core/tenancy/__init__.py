"""Enterprises as tenants: their details, their partners, how they trade and which plugins they use."""

from core.tenancy.enablement import (
    PluginState,
    disable_plugin,
    enable_plugin,
    enabled_plugins,
    plugin_settings,
    plugin_states,
)
from core.tenancy.entering import Entered, enter_enterprise, enterprises, invite_administrator
from core.tenancy.model import (
    Address,
    Enterprise,
    EnterpriseCard,
    InvoiceDetails,
    PartnerRelation,
    PluginEnablement,
)
from core.tenancy.service import (
    Choice,
    addresses,
    card,
    cards,
    edit_enterprise,
    enterprise,
    find_enterprises,
    invoice_details,
    my_enterprises,
    register_enterprise,
    remove_address,
    save_address,
    set_invoice_details,
    verify_enterprise,
)
from core.tenancy.settings import TradeSettings, set_trade_settings, trade_settings
from core.tenancy.terms import partner, partners, set_partner
from core.tenancy.uscc import check_uscc

__all__ = [
    "Address",
    "Choice",
    "Entered",
    "Enterprise",
    "EnterpriseCard",
    "InvoiceDetails",
    "PartnerRelation",
    "PluginEnablement",
    "PluginState",
    "TradeSettings",
    "addresses",
    "card",
    "cards",
    "check_uscc",
    "disable_plugin",
    "edit_enterprise",
    "enable_plugin",
    "enabled_plugins",
    "enter_enterprise",
    "enterprise",
    "enterprises",
    "find_enterprises",
    "invite_administrator",
    "invoice_details",
    "my_enterprises",
    "partner",
    "partners",
    "plugin_settings",
    "plugin_states",
    "register_enterprise",
    "remove_address",
    "save_address",
    "set_invoice_details",
    "set_partner",
    "set_trade_settings",
    "trade_settings",
    "verify_enterprise",
]

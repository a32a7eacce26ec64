"""What comes in and goes out, for the JSON API and for the forms alike."""

from decimal import Decimal

from marshmallow import validate

from core.web import Schema, fields


class DetailsBody(Schema):
    name = fields.Text(max=120, min=1)
    name_en = fields.Text(max=200, allow_none=True)
    short_name = fields.Text(max=40, allow_none=True)
    legal_representative = fields.Text(max=60, allow_none=True)
    contact = fields.Text(max=60, allow_none=True)
    phone = fields.Text(max=40, allow_none=True)
    website = fields.Text(max=200, allow_none=True)


class EnterBody(Schema):
    """A new enterprise and whom to invite as its first administrator."""

    name = fields.Text(required=True, max=120, min=1)
    name_en = fields.Text(max=200, allow_none=True)
    short_name = fields.Text(max=40, allow_none=True)
    uscc = fields.Text(required=True, max=40)
    kind = fields.Text(required=True, max=20)
    email = fields.Text(required=True, max=250)
    admin = fields.Text(required=True, max=100)


class AdminBody(Schema):
    """Whom to invite: the address and the name."""

    email = fields.Text(required=True, max=250)
    admin = fields.Text(required=True, max=100)


class EnteredAnswer(Schema):
    """`url` is what the first administrator opens; it is shown this once."""

    id = fields.UUID(required=True)
    url = fields.Text(required=True)


class AddressBody(Schema):
    label = fields.Text(required=True, max=60)
    contact = fields.Text(required=True, max=60)
    phone = fields.Text(required=True, max=40)
    province = fields.Text(required=True, max=60)
    city = fields.Text(required=True, max=60)
    district = fields.Text(max=60, allow_none=True)
    street = fields.Text(required=True, max=200)
    postcode = fields.Text(max=12, allow_none=True)
    is_default = fields.Boolean()


class InvoiceBody(Schema):
    """`title` is the registered name; `bank_code` the twelve digits of the branch."""

    title = fields.Text(required=True, max=120)
    registered_address = fields.Text(required=True, max=200)
    phone = fields.Text(required=True, max=40)
    bank = fields.Text(required=True, max=120)
    bank_code = fields.Text(max=12, allow_none=True)
    account = fields.Text(required=True, max=40)
    email = fields.Text(max=250, allow_none=True)


class SettingsBody(Schema):
    """Shares as decimals: `over_tol` 0.05 is 5 %. `approval_threshold` null: no order needs an approver.

    A remainder of an invoice is small within both `write_off_amount` (in its currency) and `write_off_share` of its total.
    """

    approval_threshold = fields.Money(allow_none=True)
    offer_minutes = fields.Integer(strict=True)
    soft_reserve_minutes = fields.Integer(strict=True)
    accept_days = fields.Integer(strict=True)
    under_tol = fields.Decimal(6, minimum=Decimal(0))
    over_tol = fields.Decimal(6, minimum=Decimal(0))
    default_terms_days = fields.Integer(strict=True)
    write_off_amount = fields.Money()
    write_off_share = fields.Decimal(6, minimum=Decimal(0))
    currency = fields.Text(max=3)
    timezone = fields.Text(max=60)


class SettingsForm(SettingsBody):
    """The same from a form, where every figure is text."""

    offer_minutes = fields.Integer()
    soft_reserve_minutes = fields.Integer()
    accept_days = fields.Integer()
    default_terms_days = fields.Integer()


class PartnerBody(Schema):
    """`credit_limit` in the own currency; null takes it away, leaving it out changes nothing."""

    code = fields.Text(max=40, allow_none=True)
    price_group = fields.Text(max=40, allow_none=True)
    credit_limit = fields.Money(allow_none=True, minimum=Decimal(0))
    terms_days = fields.Integer(strict=True, allow_none=True)
    blocked = fields.Boolean()
    note = fields.Text(max=1000, allow_none=True)


class PartnerForm(PartnerBody):
    """The same from a form."""

    terms_days = fields.Integer(allow_none=True)


class SearchQuery(Schema):
    q = fields.Text(required=True, max=100)


class PartnerQuery(Schema):
    q = fields.Text(max=100, load_default="")
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    after = fields.Text(max=500, load_default=None)


class VerifyBody(Schema):
    status = fields.Text(required=True, max=20)
    until = fields.Date(load_default=None, allow_none=True)


class CardAnswer(Schema):
    id = fields.UUID(required=True, attribute="tenant_id")
    name = fields.Text(required=True)
    name_en = fields.Text(allow_none=True)
    short_name = fields.Text(allow_none=True)
    uscc = fields.Text(required=True)
    kind = fields.Text(required=True)
    status = fields.Text(required=True)


class CardList(Schema):
    items = fields.List(fields.Nested(CardAnswer), required=True)


class OversightAnswer(CardAnswer):
    """A card with the people behind it; `invited` is the address of an administrator's open invitation."""

    members = fields.Integer(required=True)
    admins = fields.Integer(required=True)
    invited = fields.Text(allow_none=True, required=True)


class OversightList(Schema):
    items = fields.List(fields.Nested(OversightAnswer), required=True)
    next = fields.Text(allow_none=True, required=True)


class ChoiceAnswer(Schema):
    id = fields.UUID(required=True, attribute="tenant_id")
    name = fields.Text(required=True)
    name_en = fields.Text(allow_none=True)
    roles = fields.List(fields.Text(), required=True)


class ChoiceList(Schema):
    items = fields.List(fields.Nested(ChoiceAnswer), required=True)


class EnterpriseAnswer(DetailsBody):
    id = fields.UUID(required=True)
    uscc = fields.Text(required=True)
    kind = fields.Text(required=True)
    status = fields.Text(required=True)
    verified_until = fields.Date(allow_none=True)
    version = fields.Integer(required=True)


class AddressAnswer(AddressBody):
    id = fields.UUID(required=True)
    version = fields.Integer(required=True)


class AddressList(Schema):
    items = fields.List(fields.Nested(AddressAnswer), required=True)


class InvoiceAnswer(InvoiceBody):
    tax_no = fields.Text(required=True)
    version = fields.Integer(required=True)


class SettingsAnswer(SettingsBody):
    version = fields.Integer(required=True)


class PartnerAnswer(Schema):
    partner_id = fields.UUID(required=True)
    name = fields.Text(required=True)
    uscc = fields.Text(required=True)
    code = fields.Text(allow_none=True)
    price_group = fields.Text(allow_none=True)
    credit_limit = fields.Money(allow_none=True)
    terms_days = fields.Integer(allow_none=True)
    blocked = fields.Boolean(required=True)
    note = fields.Text(allow_none=True)
    version = fields.Integer(required=True)


class PartnerList(Schema):
    items = fields.List(fields.Nested(PartnerAnswer), required=True)
    next = fields.Text(allow_none=True, required=True)


class PluginAnswer(Schema):
    plugin = fields.Text(required=True)
    state = fields.Text(required=True)
    version = fields.Text(required=True)


class PluginStates(Schema):
    items = fields.List(fields.Nested(PluginAnswer), required=True)

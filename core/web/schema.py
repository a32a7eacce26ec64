"""What comes in and goes out: marshmallow schemas that refuse unknown keys, and fields that never lose a digit."""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from marshmallow import RAISE, ValidationError, fields
from marshmallow import Schema as _Schema
from marshmallow.validate import Length, OneOf

ValidationErrors = dict[str, Any]


class Schema(_Schema):
    """Base of every schema: an unknown key is an error, not a silent loss."""

    class Meta:
        unknown = RAISE
        ordered = True


PLAIN_DECIMAL = r"^[+-]?[0-9]{1,40}(\.[0-9]{1,40})?$"
_PLAIN = re.compile(PLAIN_DECIMAL)


class DecimalText(fields.Field[Decimal]):
    """A finite decimal sent as text (`"12.30"`); a JSON number is taken too, read without ever being a float."""

    def __init__(self, places: int, *, minimum: Decimal | None = None, above: Decimal | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.places, self.minimum, self.above = places, minimum, above
        self.limit = Decimal(10) ** 14

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else self._plain(value)

    def _plain(self, value: Decimal) -> str:
        return f"{value.normalize():f}"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise ValidationError("decimal.not_a_number")
        if isinstance(value, str) and not _PLAIN.fullmatch(value.strip()):
            raise ValidationError("decimal.not_a_number")  # Decimal() itself takes 1_000, １２ and NaN
        try:
            number = Decimal(value.strip() if isinstance(value, str) else value)
        except InvalidOperation:
            raise ValidationError("decimal.not_a_number") from None
        if not number.is_finite() or abs(number) >= self.limit:
            raise ValidationError("decimal.out_of_range")
        if number.as_tuple().exponent < -self.places and number != round(number, self.places):  # type: ignore[operator]
            raise ValidationError("decimal.too_many_digits")
        if self.minimum is not None and number < self.minimum:
            raise ValidationError("decimal.too_small")
        if self.above is not None and number <= self.above:
            raise ValidationError("decimal.must_be_positive")
        return number


class MoneyField(DecimalText):
    """An amount with at most two decimals (four inside the ledger), shown with two: `"1130.00"`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(2, **kwargs)

    def _plain(self, value: Decimal) -> str:
        return f"{value:.2f}"


class PriceField(DecimalText):
    """A unit price, at most six decimals, never negative."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(6, minimum=Decimal(0), **kwargs)


class QuantityField(DecimalText):
    """A quantity above zero, at most six decimals."""

    def __init__(self, *, above: Decimal | None = Decimal(0), **kwargs: Any) -> None:
        super().__init__(6, above=above, **kwargs)


class TextField(fields.String):
    """Text without NUL or lone surrogates, its outer blanks removed, at most `max` characters."""

    def __init__(
        self,
        *,
        max: int = 500,  # noqa: A002  reads as in a form
        min: int = 0,  # noqa: A002
        validate: Callable[[Any], Any] | Sequence[Callable[[Any], Any]] = (),
        **kwargs: Any,
    ) -> None:
        more = [validate] if callable(validate) else validate
        super().__init__(validate=[Length(min=min, max=max), *more], **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if "\x00" in text:
            raise ValidationError("text.nul")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValidationError("text.not_unicode") from None
        return text.strip()


class ChoiceField(TextField):
    """One of a few words: `Choice("fob", "cif")`. `labels` say them to people, in the same order."""

    def __init__(self, *choices: str, labels: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(max=max(map(len, choices)), validate=OneOf(choices, labels), **kwargs)


class SecretField(TextField):
    """Text that is encrypted where it lies and never shown again, such as a key; for settings of plugins."""


class Fields:
    """The fields a schema is built of, under one name."""

    Money = MoneyField
    Price = PriceField
    Quantity = QuantityField
    Decimal = DecimalText
    Text = TextField
    Choice = ChoiceField
    Secret = SecretField
    UUID = fields.UUID
    Integer = fields.Integer
    Boolean = fields.Boolean
    DateTime = fields.AwareDateTime
    Date = fields.Date
    List = fields.List
    Nested = fields.Nested
    Dict = fields.Dict
    Email = fields.Email
    Url = fields.Url
    Raw = fields.Raw
    Method = fields.Method
    Function = fields.Function


class Nothing(Schema):
    """A body or answer without fields."""

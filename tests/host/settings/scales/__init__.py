"""A plugin that has a setting of every kind, and an author who insists that the two limits fit each other."""

from datetime import date
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, validate, validates_schema

from core.web import Schema, fields

LIMITS = {"zh": "误差", "en": "Tolerance"}
LINK = {"zh": "连接", "en": "Connection"}


def said(zh: str, en: str, group: Any = "", **more: Any) -> dict[str, Any]:
    return {"title": {"zh": zh, "en": en}, "group": group, **more}


class Settings(Schema):
    """How an enterprise weighs."""

    automatic = fields.Boolean(
        load_default=True,
        metadata=said(
            "自动生成收货单", "Make receipts by itself", hint={"zh": "关闭后由人确认。", "en": "Otherwise a person confirms."}
        ),
    )
    days = fields.Integer(
        load_default=3,
        validate=validate.Range(min=1, max=90),
        metadata=said("读数有效期", "Readings are valid for", unit={"zh": "天", "en": "days"}),
    )
    lower = fields.Decimal(
        3, load_default=Decimal("0.5"), minimum=Decimal(0), metadata=said("下限", "Lower limit", LIMITS, unit="%")
    )
    upper = fields.Decimal(
        3,
        load_default=Decimal("1.5"),
        validate=validate.Range(min=Decimal(0), max=Decimal(10)),
        metadata=said("上限", "Upper limit", LIMITS, unit="%"),
    )
    fee = fields.Money(load_default=None, allow_none=True, metadata=said("过磅费", "Weighing fee"))
    site = fields.Text(required=True, max=40, min=1, metadata=said("磅房名称", "Name of the site"))
    notes = fields.Text(load_default="", max=2000, metadata=said("说明", "Notes for drivers", long=True))
    rounding = fields.Choice(
        "half_up",
        "down",
        labels=[{"zh": "四舍五入", "en": "Half up"}, {"zh": "舍去", "en": "Down"}],
        load_default="half_up",
        metadata=said("取整", "Rounding"),
    )
    shifts = fields.List(
        fields.Choice("day", "night", labels=[{"zh": "白班", "en": "Day"}, {"zh": "夜班", "en": "Night"}]),
        load_default=lambda: ["day"],
        metadata=said("班次", "Shifts"),
    )
    plates = fields.List(fields.Text(max=12), load_default=list, metadata=said("免检车牌", "Plates let through"))
    since = fields.Date(load_default=date(2026, 1, 1), metadata=said("启用日期", "In use since"))
    address = fields.Url(load_default=None, allow_none=True, metadata=said("磅房接口地址", "Address of the bridge", LINK))
    token = fields.Secret(load_default=None, allow_none=True, max=80, metadata=said("接口密钥", "Key of the bridge", LINK))
    extra = fields.Dict(load_default=dict, metadata=said("其他参数", "Other parameters", LINK))

    @validates_schema
    def fit(self, data: dict[str, Any], **_: Any) -> None:
        if "lower" in data and "upper" in data and data["lower"] > data["upper"]:
            raise ValidationError("The lower limit lies above the upper one", "lower")

"""A REST service as the platform sees it: what it asks for, how it is checked, what flows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import ClassVar

import requests

from connectors.generic import settings as common
from connectors.generic.rest.client import Client
from connectors.generic.rest.hook import hear
from connectors.generic.rest.link import RestLink
from connectors.generic.rest.streams import KINDS_OF_STREAM
from connectors.generic.shapes import LAYOUTS
from tongshang.connect import (
    Access,
    Connector,
    FixSettings,
    Heard,
    Push,
    Setting,
    Step,
    Stream,
    SyncError,
    probe,
)

NEEDED = {
    "basic": ("username", "password"),
    "bearer": ("token",),
    "api_key": ("token",),
    "hmac": ("sign_secret",),
}
FORMS = (("hex", "Hexadecimal"), ("base64", "Base64"))
CHECKED = "TS-CHECK-0"  # a reference that no order of the platform has
PATH = "A path under the address; {reference}, {number} and {id} are filled in"


class Rest(Connector):
    """Any service that takes orders as JSON and can be searched by our reference."""

    key: ClassVar[str] = "rest"
    title: ClassVar[str] = "REST and webhooks"
    summary: ClassVar[str] = "Orders out as JSON, records in by page or as you call us"
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            "way",
            "Way to sign in",
            kind="choice",
            required=True,
            default="bearer",
            choices=(
                ("none", "No sign-in"),
                ("basic", "User and password"),
                ("bearer", "Bearer token"),
                ("api_key", "Key in a header"),
                ("hmac", "Signature over each call"),
            ),
        ),
        Setting("username", "User or key id"),
        Setting("password", "Password", kind="secret"),
        Setting("token", "Token or key", kind="secret"),
        Setting("api_key_header", "Header of the key", default="X-Api-Key"),
        Setting("sign_secret", "Secret of the signature", kind="secret", hint="HMAC-SHA256"),
        Setting("sign_header", "Header of the signature", default="X-Signature"),
        Setting("stamp_header", "Header of the time", default="X-Timestamp", hint="Seconds since 1970"),
        Setting("sign_form", "Form of the signature", kind="choice", default="hex", choices=FORMS),
        Setting(
            "sign_over",
            "What is signed",
            kind="choice",
            default="call",
            choices=(("call", "Time, method, path and body"), ("body", "Time and body")),
        ),
        Setting("headers", "Further headers", kind="pairs", hint="One a line: X-Company=100"),
        Setting(
            "find_path", "Find an order", default="/orders?reference={reference}", hint=PATH, required=True
        ),
        Setting("create_path", "Create an order", default="/orders", hint=PATH, required=True),
        Setting("change_path", "Change an order", hint=PATH),
        Setting("cancel_path", "Cancel an order", hint=PATH),
        Setting("confirm_path", "Release an order", hint="Only if it takes a call of its own"),
        Setting(
            "day_path",
            "All orders of a day",
            hint="For reconciliation; {day} is filled in as 2026-11-23, one answer holds them all",
        ),
        Setting(
            "create_method",
            "Method to create",
            kind="choice",
            default="POST",
            choices=(("POST", "POST"), ("PUT", "PUT")),
        ),
        Setting(
            "change_method",
            "Method to change",
            kind="choice",
            default="PUT",
            choices=(("PUT", "PUT"), ("PATCH", "PATCH"), ("POST", "POST")),
        ),
        Setting(
            "cancel_method",
            "Method to cancel",
            kind="choice",
            default="POST",
            choices=(("POST", "POST"), ("PUT", "PUT"), ("DELETE", "DELETE")),
        ),
        Setting(
            "idempotency_header", "Header that names a write", default="Idempotency-Key", hint="- for none"
        ),
        Setting(
            "numbers",
            "Numbers travel as",
            kind="choice",
            default="text",
            choices=(("text", 'Text: "36.50"'), ("number", "Numbers: 36.50")),
        ),
        common.answer("One a line: number=data.no; - for what is not told; list= where the orders are"),
        *common.filing(
            "One a line: find=/receipts?ref={reference}, create=/receipts, cancel=/receipts/{id}/void, number=docNo"
        ),
        common.DONE,
        common.CANCELLED,
        Setting(
            "ok_field",
            "Field that says yes or no",
            hint="Only if a refusal comes with HTTP 200, such as code",
        ),
        Setting("ok_values", "Its words for yes", default="0,200,ok,success,true"),
        Setting("busy_values", "Its words for try again", hint="With commas"),
        Setting("exists_values", "Its words for there already", hint="With commas"),
        Setting("missing_values", "Its words for not there", hint="With commas"),
        Setting(
            "missing",
            "An order that is not there",
            kind="choice",
            default="empty",
            choices=(("empty", "An empty answer"), ("404", "404 with JSON")),
        ),
        common.PARTNER_BY,
        common.UNITS,
        common.CURRENCIES,
        Setting(
            "paging",
            "Paging",
            kind="choice",
            default="none",
            choices=(
                ("none", "All in one answer"),
                ("page", "Number of the page"),
                ("offset", "Offset of the record"),
                ("next", "Link to the next page"),
                ("cursor", "Mark of the next page"),
            ),
        ),
        Setting("page_name", "Parameter of the page", hint="Empty: page, offset or cursor"),
        Setting("size_name", "Parameter of the size", default="size"),
        Setting("page_size", "Records of a page", kind="number", default="200"),
        Setting("first_page", "Number of the first page", kind="number", default="1"),
        Setting("next_path", "Where the next link or mark is", default="next"),
        *common.reading("One a line: path=/items, list=data, since=changed_after, code=item.no"),
        Setting("hook_secret", "Secret of calls to us", kind="secret", hint="HMAC-SHA256 over time and body"),
        Setting("hook_sign_header", "Their header of the signature", default="X-Signature"),
        Setting("hook_sign_form", "Form of their signature", kind="choice", default="hex", choices=FORMS),
        Setting("hook_stamp_header", "Their header of the time", default="X-Timestamp"),
        Setting("hook_window", "Seconds a call may be old", kind="number", default="300"),
        Setting("hook_key_header", "Their header of the call's name", default="Idempotency-Key"),
        Setting("hook_kind", "Where a call names its kind", default="kind"),
        Setting("hook_list", "Where a call has its records", default="records"),
        Setting(
            "hook_kinds", "Their words for kinds", kind="pairs", hint="One a line: products=item.changed"
        ),
    )
    streams: ClassVar[tuple[type[Stream], ...]] = tuple(KINDS_OF_STREAM.values())
    unique_reference: ClassVar[bool] = False
    can_look_up: ClassVar[bool] = True
    settle: ClassVar[timedelta] = timedelta(seconds=30)
    documents: ClassVar[tuple[str, ...]] = tuple(LAYOUTS)
    hears: ClassVar[bool] = True

    def open(self, access: Access, http: requests.Session) -> RestLink:
        access = common.filled(access, self.settings)
        for key in NEEDED.get(access["way"], ()):
            if not access[key]:
                raise FixSettings("rest.credentials_missing", f"{key} is missing for this way to sign in")
        return RestLink(Client(http, access))

    def check(self, access: Access, http: requests.Session) -> Iterator[Step]:
        reached = [Step(stage, ok, said) for stage, ok, said in probe(http, access.base_url)]
        yield from reached
        if not all(step.ok for step in reached):
            return
        try:
            link = self.open(access, http)
            found = link.find(CHECKED)
        except SyncError as error:
            yield Step("find", False, f"{error.code}: {error.message}")
            return
        if found is not None:
            yield Step("find", False, f"{CHECKED} is nobody's reference, and {found.number} was found for it")
            return
        yield Step("find", True, "")
        for key, kind in KINDS_OF_STREAM.items():
            if kind(link.client).reader.option("path"):
                yield self._first_record(link, key)
                return

    @staticmethod
    def _first_record(link: RestLink, key: str) -> Step:
        try:
            stream = link.stream(key)
            page = next(iter(stream.pull(None, None)), None)
            said = str(getattr(stream.to_core(page.rows[0]), "external_id", "")) if page else ""
        except SyncError as error:
            return Step("read", False, f"{key}: {error.code}: {error.message}")
        return Step("read", True, f"{key} {said}".strip())

    def hear(self, access: Access, push: Push) -> Heard:
        return hear(common.filled(access, self.settings), push)

    def demo_values(self) -> Mapping[str, str]:
        from connectors.generic.rest.simulator.account import (
            settings_for,
        )  # only the demo needs the simulator

        return settings_for()

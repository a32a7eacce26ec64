"""Kingdee's answers, as odd as the real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors.kingdee.wire import SESSION_LOST


class Problem(Exception):
    """A business error: becomes a ResponseStatus that says no."""

    def __init__(self, code: int, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field

    def as_error(self, index: int = 0) -> dict[str, Any]:
        return {"FieldName": self.field, "Message": self.message, "DIndex": index}


class NoService(Exception):
    """A call outside the envelope: answered as `response_error:`."""


@dataclass(frozen=True)
class Touched:
    """A document a call worked on."""

    id: int
    number: str

    def as_entity(self, index: int) -> dict[str, Any]:
        return {"Id": self.id, "Number": self.number, "DIndex": index}


def status(touched: Sequence[tuple[int, Touched]], errors: Sequence[tuple[int, Problem]]) -> dict[str, Any]:
    """A ResponseStatus; with both filled it is the partial success of a batch."""
    answer: dict[str, Any] = {} if not errors else {"ErrorCode": 500}
    return answer | {
        "IsSuccess": not errors,
        "Errors": [problem.as_error(index) for index, problem in errors],
        "SuccessEntitys": [document.as_entity(index) for index, document in touched],
        "SuccessMessages": [],
        "MsgCode": errors[0][1].code if errors else 0,
    }


def result(
    touched: Sequence[tuple[int, Touched]], errors: Sequence[tuple[int, Problem]] = ()
) -> dict[str, Any]:
    return {"Result": {"ResponseStatus": status(touched, errors)}}


def refused(problem: Problem) -> dict[str, Any]:
    return result((), [(0, problem)])


def query_refused(problem: Problem) -> list[Any]:
    """A query's error hides in the first cell of the first row."""
    return [[refused(problem)]]


def session_lost() -> Problem:
    return Problem(1, f"{SESSION_LOST}，请重新登录")


def saved(document: Touched, wanted: Sequence[str], number_key: str) -> dict[str, Any]:
    back = {key: document.number for key in wanted if key == number_key}
    return {
        "Result": {
            "ResponseStatus": status([(0, document)], ()),
            "Id": document.id,
            "Number": document.number,
            "NeedReturnData": [back],
        }
    }


LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><meta charset='utf-8'><title>金蝶云星空</title></head>"
    "<body><form action='/k3cloud/html5/index.aspx'><h1>用户登录</h1></form></body></html>"
)
NOT_FOUND = "<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1></body></html>"

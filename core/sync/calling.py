"""One call to another system: how it can end before there is an answer, each end by its remedy, and its trace."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import requests

from core.sync.outbound import Blocked, NotSent, Unreachable
from core.sync.outcome import Exchange, FixSettings, RetryLater, SyncError, Uncertain

SHOWN = 20_000  # characters of a request or an answer that a trace keeps


def perhaps(write: bool) -> type[SyncError]:
    """What an end is that says neither yes nor no: a read is simply made again, of a write nobody knows."""
    return Uncertain if write else RetryLater


def answer_text(response: requests.Response) -> str:
    """An answer as a person reads it."""
    return response.content.decode("utf-8", "replace")


def slow_down(response: requests.Response, otherwise: timedelta) -> RetryLater:
    """What a 429 asks for: the seconds it names, an hour at most; `otherwise` where it names none."""
    named = response.headers.get("Retry-After", "")
    usable = named.isascii() and named.isdigit() and len(named) < 10
    after = timedelta(seconds=min(int(named), 3600)) if usable else otherwise
    return RetryLater("http.too_many", "the server asks for fewer calls", after=after)


@dataclass(frozen=True)
class Asked:
    """A call as the trace shows it; `hide` takes the secrets out of a text."""

    operation: str
    url: str
    request: str
    hide: Callable[[str], str]
    told: Callable[[requests.Response], str] = answer_text


def call(
    send: Callable[[], requests.Response], asked: Asked, trace: Callable[[Exchange], None], unclear: type[SyncError]
) -> requests.Response:
    """The answer to one call, whatever its status. Every call is traced, however it ended.

    Raises FixSettings where the address is not allowed, a header is none, or the certificate is not trusted; RetryLater where
    nothing was sent; `unclear` (see `perhaps`) where the line fell silent or broke after something may have been.
    """
    began, note = time.monotonic(), ""
    response: requests.Response | None = None
    try:
        response = send()
        return response
    except Blocked as error:
        note = str(error)
        raise FixSettings("outbound.blocked", note) from error
    except Unreachable as error:
        note = str(error)
        if "CERTIFICATE_VERIFY_FAILED" in note:
            raise FixSettings("unreachable.certificate", note) from error
        raise RetryLater(f"unreachable.{error.stage}", note) from error
    except NotSent as error:
        note = str(error)
        raise RetryLater("unreachable", note) from error
    except (requests.exceptions.InvalidHeader, UnicodeEncodeError):  # they quote the header, which may be a token
        note = "a header holds what none can carry"
        raise FixSettings("http.header", note) from None
    except requests.Timeout as error:
        note = str(error)
        raise unclear("http.timeout", "no answer in time") from error
    except requests.RequestException as error:
        note = str(error)
        raise unclear("http.broken_off", "the connection broke off before a whole answer") from error
    finally:
        answer = asked.told(response) if response is not None else note
        trace(
            Exchange(
                operation=asked.operation,
                url=asked.hide(asked.url),
                request=_shown(asked, asked.request),
                status=response.status_code if response is not None else None,
                response=_shown(asked, answer),
                milliseconds=int((time.monotonic() - began) * 1000),
            )
        )


def _shown(asked: Asked, text: str) -> str:
    """The beginning of a text. It is cut again after hiding, so that no half of a secret is left at its end."""
    return asked.hide(text[: 2 * SHOWN])[:SHOWN]

"""What happened to requests and quotes. Each names one buyer and one seller, so both hear it; none carries a price."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import tongshang as ts


@dataclass(frozen=True)
class OfInvitation(ts.Event):
    """One seller's part in a request. `subject_id` is the request, which keeps its events in order."""

    subject_id: UUID
    invitation_id: UUID
    buyer_id: UUID
    seller_id: UUID
    number: str
    request_version: int
    at: datetime


@dataclass(frozen=True)
class QuoteRequested(OfInvitation):
    """A seller was invited."""


@dataclass(frozen=True)
class RequestAmended(OfInvitation):
    """The request has a new version: quotes against the older one no longer fit."""


@dataclass(frozen=True)
class RequestExtended(OfInvitation):
    """There is more time."""


@dataclass(frozen=True)
class RequestWithdrawn(OfInvitation):
    """The buyer wants no quotes any more."""


@dataclass(frozen=True)
class InvitationDeclined(OfInvitation):
    """The seller will not quote."""


@dataclass(frozen=True)
class QuoteGiven(OfInvitation):
    """A quote, or a newer version of it."""


@dataclass(frozen=True)
class QuoteRetracted(OfInvitation):
    """The seller took its quote back."""


@dataclass(frozen=True)
class QuoteExpired(OfInvitation):
    """The validity of a quote ran out."""


@dataclass(frozen=True)
class BetterOfferAsked(OfInvitation):
    """The buyer asked for a better offer."""


@dataclass(frozen=True)
class RequestTalked(OfInvitation):
    """A question, an answer or a notice."""


@dataclass(frozen=True)
class QuoteWon(OfInvitation):
    """The seller won all or some of it; the order of the award follows its own events."""

    order_id: UUID | None = None


@dataclass(frozen=True)
class QuoteLost(OfInvitation):
    """Somebody else won."""

"""Publishers, sources and what they offer, as JSON."""

from core.web import Schema, fields


class PublisherAnswer(Schema):
    """A publisher's key. `public_key` is the line `RW...` of minisign; `revoked_at` tells that it is trusted no longer."""

    key_id = fields.Text(required=True)
    name = fields.Text(required=True)
    public_key = fields.Text(required=True)
    tier = fields.Text(required=True)
    open_to_enterprises = fields.Boolean(required=True)
    trusted_by = fields.Text(required=True)
    trusted_at = fields.DateTime(required=True)
    revoked_at = fields.DateTime(required=True, allow_none=True)


class PublisherList(Schema):
    items = fields.List(fields.Nested(PublisherAnswer), required=True)


class SignedAnswer(Schema):
    """What a publisher's signature stands on: packages in store, plugins that run from them, changes not yet carried out."""

    publisher = fields.Nested(PublisherAnswer, required=True)
    packages = fields.List(fields.Text(), required=True)
    installed = fields.List(fields.Text(), required=True)
    waiting = fields.List(fields.Text(), required=True)


class TrustIn(Schema):
    """`tier` is official, verified or community. `open_to_enterprises` lets them install without the operator's answer."""

    name = fields.Text(required=True, min=1, max=100)
    public_key = fields.Text(required=True, min=1, max=500)
    tier = fields.Text(load_default="verified", max=20)
    open_to_enterprises = fields.Boolean(load_default=False)


class SourceAnswer(Schema):
    """A place plugins may come from. `kind` is folder or index."""

    address = fields.Text(required=True)
    kind = fields.Text(required=True)
    added_by = fields.Text(required=True)
    added_at = fields.DateTime(required=True)


class SourceList(Schema):
    items = fields.List(fields.Nested(SourceAnswer), required=True)


class SourceIn(Schema):
    """The path of a folder on the server, or the address of a simple index."""

    address = fields.Text(required=True, min=1, max=1000)


class OffersQuery(Schema):
    """`word` is looked for in names and, where the source is a folder, in titles and summaries."""

    word = fields.Text(load_default="", max=100)
    source = fields.Text(load_default=None, allow_none=True, max=1000)


class ProblemAnswer(Schema):
    """Why something cannot be had: a code, and the values its sentence names."""

    code = fields.Text(required=True)
    values = fields.Dict(required=True)


class OfferAnswer(Schema):
    """A distribution on offer. Of an index only the name is known before one asks for its versions."""

    distribution = fields.Text(required=True)
    version = fields.Text(required=True, allow_none=True)
    plugin = fields.Text(required=True, allow_none=True)
    title = fields.Dict(required=True)
    summary = fields.Dict(required=True)
    problem = fields.Nested(ProblemAnswer, required=True, allow_none=True)


class ListingAnswer(Schema):
    """One source with its offers; `more` were left out, `problem` tells why it offers nothing."""

    source = fields.Text(required=True)
    kind = fields.Text(required=True)
    offers = fields.List(fields.Nested(OfferAnswer), required=True)
    more = fields.Integer(required=True)
    problem = fields.Nested(ProblemAnswer, required=True, allow_none=True)


class ListingList(Schema):
    items = fields.List(fields.Nested(ListingAnswer), required=True)


class VersionsQuery(Schema):
    source = fields.Text(required=True, max=1000)
    distribution = fields.Text(required=True, min=1, max=100)


class OfferedAnswer(Schema):
    """A version on offer. `fits` says whether it is made for this machine and this Python."""

    version = fields.Text(required=True)
    filename = fields.Text(required=True)
    sha256 = fields.Text(required=True)
    size = fields.Integer(required=True, allow_none=True)
    fits = fields.Boolean(required=True)
    yanked = fields.Boolean(required=True)


class VersionsAnswer(Schema):
    """The versions of one distribution, the newest first, and what the newest needs, where the source tells it."""

    distribution = fields.Text(required=True)
    versions = fields.List(fields.Nested(OfferedAnswer), required=True)
    requires = fields.List(fields.Text(), required=True)


class FetchIn(Schema):
    """Without `version` the newest one that fits here."""

    source = fields.Text(required=True, min=1, max=1000)
    distribution = fields.Text(required=True, min=1, max=100)
    version = fields.Text(load_default=None, allow_none=True, max=60)


class FetchedAnswer(Schema):
    """What came into the store. `stranger` is the id of an untrusted key that signed it; `missing` was not to be had."""

    sha256 = fields.Text(required=True)
    plugin = fields.Text(required=True, allow_none=True)
    distribution = fields.Text(required=True)
    version = fields.Text(required=True)
    signer = fields.Text(required=True, allow_none=True)
    stranger = fields.Text(required=True, allow_none=True)
    libraries = fields.List(fields.Text(), required=True)
    missing = fields.List(fields.Text(), required=True)

"""Publishers the operator trusts, each by an Ed25519 key, and what follows when one of them is trusted no longer.

A signature counts only while its key is trusted. Revoking a key stops no plugin that runs: it keeps the key's packages
from being installed again, and says so where they are shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from core.db import TenantSession
from core.host import rows
from core.host.packages import Wheel
from core.host.trust.minisign import PublicKey, Signature, Unreadable, Wrong
from core.kernel import Conflict, Context, Invalid, NotFound, Refused

TIERS = ("official", "verified", "community")


@dataclass(frozen=True)
class Publisher:
    """A trusted publisher, or one that was. `public_key` is the line `RW...`."""

    key_id: str
    name: str
    public_key: str
    tier: str
    open_to_enterprises: bool
    trusted_by: str
    trusted_at: Any
    revoked_at: Any


@dataclass(frozen=True)
class Signed:
    """What carries a publisher's signature: packages in store, plugins that run from them, changes not yet carried out.

    Packages read "plugin version", plugins and changes are names of plugins.
    """

    packages: tuple[str, ...]
    installed: tuple[str, ...]
    waiting: tuple[str, ...]


def publishers(ctx: Context) -> list[Publisher]:
    """All of them, by name; revoked ones too."""
    ctx.require("plugin.install")
    return [_publisher(row) for row in rows.publishers(ctx.session)]


def publisher(ctx: Context, key_id: str) -> Publisher:
    """One by its key; NotFound when nobody with it was ever trusted."""
    found = next((each for each in publishers(ctx) if each.key_id == key_id.strip().upper().zfill(16)), None)
    if found is None:
        raise NotFound("plugin.no_such_publisher", key=key_id[:16])
    return found


def trust(ctx: Context, name: str, public_key: str, *, tier: str = "verified", open_to_enterprises: bool = False) -> Publisher:
    """Trust a key from now on, or again. Raises Invalid where the key, the name or the tier cannot be used.

    With `open_to_enterprises` an enterprise's wish for one of its plugins needs no answer of the operator.
    """
    ctx.require("plugin.install")
    if not name.strip():
        raise Invalid.one("name", "field.required")
    if tier not in TIERS:
        raise Invalid.one("tier", "plugin.no_such_tier", tier=tier, tiers=", ".join(TIERS))
    try:
        key = PublicKey.parse(public_key)
    except Unreadable:
        raise Invalid.one("public_key", "plugin.key_unreadable") from None
    if any(row.key_id == key.id and bytes(row.public_key) != key.key for row in rows.publishers(ctx.session)):
        raise Invalid.one("public_key", "plugin.key_id_taken", key=key.id)
    ctx.session.execute(
        text("SELECT ts.plugin_trust(:key_id, :name, :public_key, :tier, :open, :by)"),
        {
            "key_id": key.id, "name": name.strip(), "public_key": key.key, "tier": tier, "open": open_to_enterprises,
            "by": ctx.actor.name,
        },
    )  # fmt: skip
    ctx.record("plugin.trust", f"publisher:{key.id}", name=name.strip(), tier=tier, open_to_enterprises=open_to_enterprises)
    return publisher(ctx, key.id)


def distrust(ctx: Context, key_id: str) -> Publisher:
    """Trust a key no longer. What is installed goes on running; nothing of its packages is installed any more."""
    known = publisher(ctx, key_id)
    if not ctx.session.execute(text("SELECT ts.plugin_distrust(:key)"), {"key": known.key_id}).scalar():
        raise Conflict("plugin.publisher_revoked", publisher=known.name)
    ctx.record("plugin.distrust", f"publisher:{known.key_id}", name=known.name)
    return publisher(ctx, known.key_id)


def signed_by(ctx: Context, key_id: str) -> Signed:
    """What a publisher's signature stands on now: shown before the key is revoked."""
    ctx.require("plugin.install")
    packages = [row for row in rows.packages(ctx.session) if row.signer == key_id]
    own = {row.sha256 for row in packages}
    return Signed(
        tuple(f"{row.plugin or row.distribution} {row.version}" for row in packages),
        tuple(row.name for row in rows.plugins(ctx.session) if own & set(row.packages)),
        tuple(
            row.plugin
            for row in rows.changes(ctx.session)
            if row.state in ("asked", "queued") and own & set(row.packages)
        ),
    )


def signer_of(ctx: Context, wheel: Wheel, signature: str) -> str:
    """The id of the trusted key that signed this wheel. Raises Invalid on `signature` with what to do about it."""
    try:
        signed = Signature.parse(signature)
    except Unreadable:
        raise Invalid.one("signature", "plugin.signature_unreadable", file=wheel.filename) from None
    row = next((each for each in rows.publishers(ctx.session) if each.key_id == signed.key_id), None)
    if row is None:
        raise Invalid.one("signature", "plugin.signer_unknown", file=wheel.filename, key=signed.key_id)
    try:
        signed.check(PublicKey(signed.name, bytes(row.public_key)), wheel.content)
    except Wrong:
        raise Invalid.one(
            "signature", "plugin.signature_wrong", file=wheel.filename, publisher=row.name
        ) from None
    if signed.file not in (None, wheel.filename):
        raise Invalid.one(
            "signature", "plugin.signature_other_file", file=wheel.filename, other=signed.file
        )
    if row.revoked_at is not None:
        raise Invalid.one("signature", "plugin.signature_revoked", file=wheel.filename, publisher=row.name)
    return str(row.key_id)


def refuse_revoked(session: TenantSession, plugin: str, packages: Iterable[str]) -> None:
    """Raise Refused where one of these packages was signed by a key that is trusted no longer."""
    wanted = set(packages)
    revoked = {row.key_id: row.name for row in rows.publishers(session) if row.revoked_at is not None}
    for row in rows.packages(session) if revoked else ():
        if row.sha256 in wanted and row.signer in revoked:
            raise Refused("plugin.signer_revoked", plugin=plugin, file=row.filename, publisher=revoked[row.signer])


def of_revoked(session: TenantSession) -> Mapping[str, str]:
    """Installed plugins that run from packages of a publisher trusted no longer, with that publisher's name."""
    revoked = {row.key_id: row.name for row in rows.publishers(session) if row.revoked_at is not None}
    if not revoked:
        return {}
    signers = {row.sha256: revoked[row.signer] for row in rows.packages(session) if row.signer in revoked}
    return {
        row.name: signers[next(each for each in row.packages if each in signers)]
        for row in rows.plugins(session)
        if any(each in signers for each in row.packages)
    }


def _publisher(row: Any) -> Publisher:
    key = PublicKey(int(row.key_id, 16).to_bytes(8, "little"), bytes(row.public_key))
    return Publisher(
        row.key_id, row.name, key.line, row.tier, row.open_to_enterprises, row.trusted_by, row.trusted_at, row.revoked_at
    )

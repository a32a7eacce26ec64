"""A wheel comes in with its signature: read without being run, its signer found out, put into the store."""

from core.host import packages
from core.host.life import changes
from core.host.trust.publishers import signer_of
from core.kernel import Context


def hand_in(ctx: Context, content: bytes, filename: str, signature: str | None = None, *, source: str = "upload") -> str:
    """Keep a wheel and answer its hash. Without a signature nobody vouches for it; a wrong one is refused.

    Raises Invalid on `wheel` or `signature`.
    """
    ctx.require("plugin.install")
    wheel = packages.read(content, filename)
    signer = signer_of(ctx, wheel, signature) if signature and signature.strip() else None
    return changes.keep(ctx, wheel, source=source, signer=signer)

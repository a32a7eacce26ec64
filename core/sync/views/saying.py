"""What sockets, TLS and the guard say, in words of the reader: they come from the system's library, always in English."""

import re

from core.web import gettext as _

NO_TLS = re.compile(r"(?i)wrong.version.number")
PREFIX = re.compile(r"^(?P<host>\S+): (?:dns|tcp|tls|pace): ")
REASONS = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (r"Connection refused", "nothing listens at this port, or a firewall refuses it"),
        (r"No route to host", "there is no way to this host"),
        (r"Network is unreachable", "this network cannot be reached from here"),
        (r"Name or service not known|No address associated|nodename nor servname", "there is no such name"),
        (r"Temporary failure in name resolution", "the name server does not answer"),
        (
            r"(?P<address>[0-9a-f.:]+) port (?P<port>\d+) is not public",
            "%(address)s, port %(port)s is not public, and the operator has not allowed it",
        ),
        (r"plain http to a public address", "plain http to a public address needs a rule of the operator; use https"),
        (r"self[- ]signed certificate", "the certificate is signed by itself or by an authority unknown here"),
        (r"unable to get (?:local )?issuer certificate", "the authority that signed the certificate is unknown here"),
        (r"certificate has expired", "the certificate has expired"),
        (r"certificate is not yet valid", "the certificate is not valid yet"),
        (r"mismatch, certificate is not valid for '(?P<name>[^']+)'", "the certificate is not made out for %(name)s"),
        (NO_TLS.pattern, "the server speaks no TLS at this port; perhaps it is plain http"),
        (r"Fingerprints did not match", "the server shows another certificate than the pinned one"),
        (r"(?i)certificate.required", "the server asks for a client certificate"),
        (r"(?i)alert (?:bad certificate|unknown ca|certificate unknown)", "the server does not accept our client certificate"),
        (r"(?i)handshake.failure|unsupported.protocol", "the two sides have no TLS version or cipher in common"),
        (r"EOF occurred in violation|UNEXPECTED_EOF", "the server hung up while TLS was being agreed"),
        (r"Connection reset|Broken pipe", "the server cut the connection"),
        (r"Remote end closed connection|broke off", "the connection broke off before a whole answer"),
        (r"answer cut at (?P<had>\d+) of (?P<all>\d+) bytes", "the answer broke off at %(had)s of %(all)s bytes"),
        (r"answer longer than (?P<most>\d+) bytes", "the answer is longer than %(most)s bytes"),
        (r"(?i)no whole answer|no answer in time|timed out", "no answer in time"),
        (r"too many calls a minute", "more calls a minute than this connection may make"),
        (r"^the server answered (?P<status>\d{3})$", "the server answered %(status)s"),
        (r"^the server wants another address: (?P<where>\S+)$", "the server wants another address: %(where)s"),
    )
)
"""What is found in a message, and the sentence that takes its place; the first that fits."""


def in_words(said: str) -> str:
    """A message of the way to another system as a sentence; one nobody has words for stays as it came."""
    told = PREFIX.match(said)
    for pattern, sentence in REASONS:
        if found := pattern.search(said):
            words = _(sentence, **found.groupdict()) if found.groupdict() else _(sentence)
            return f"{told['host']}{_(': ')}{words}" if told else words
    return _(said) if said else ""

"""Whom a TLS connection trusts instead of the public authorities, and who we are there."""

import ssl
import tempfile
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Tls:
    """All PEM; empty: not given. `pinned_sha256` is of the server's certificate, 64 hexadecimal digits."""

    ca_pem: str = ""
    pinned_sha256: str = ""
    client_pem: str = field(default="", repr=False)  # certificate and key

    def load(self, context: ssl.SSLContext) -> None:
        """Give a context these authorities and this certificate. ValueError when one cannot be read."""
        if self.requirement == "CERT_NONE":
            context.check_hostname = False  # the pin is compared before anything is sent
        try:
            if self.ca_pem:
                context.load_verify_locations(cadata=self.ca_pem)
            if self.client_pem:
                # OpenSSL reads a chain from a file only; this one is ours alone and gone at once.
                with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                    file.write(self.client_pem)
                    file.flush()
                    context.load_cert_chain(file.name)
        except ssl.SSLError as wrong:
            raise ValueError(f"certificates of the connection: {wrong.reason}") from wrong

    @property
    def requirement(self) -> str:
        """A pin says which certificate it must be; who signed it only counts when that is told too."""
        return "CERT_NONE" if self.pinned_sha256 and not self.ca_pem else "CERT_REQUIRED"


PUBLIC = Tls()

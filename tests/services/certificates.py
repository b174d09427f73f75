"""A certificate authority for one test run, with a server's and a client's certificate, as the files daemons read.

Writes below the directory it is given.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files; the server's certificate names localhost and 127.0.0.1, the client's ``gate.test``.

    ``stranger_ca`` is another authority that signed none of them.
    """

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path
    stranger_ca: Path

    @classmethod
    def make(cls, directory: Path) -> Self:
        authority, stranger = trustme.CA(), trustme.CA()
        server = authority.issue_cert("localhost", "127.0.0.1")
        client = authority.issue_cert("gate.test")
        made = cls(*(directory / f"{name}.pem" for name in ("ca", "server", "server-key", "client", "client-key", "x")))
        authority.cert_pem.write_to_path(str(made.ca))
        stranger.cert_pem.write_to_path(str(made.stranger_ca))
        for leaf, certificate, key in (
            (server, made.server, made.server_key),
            (client, made.client, made.client_key),
        ):
            key.write_bytes(_pkcs8(leaf.private_key_pem.bytes()))
            leaf.cert_chain_pems[0].write_to_path(str(certificate))
        return made


def _pkcs8(pem: bytes) -> bytes:
    """The key in the one form that OpenSSL, GnuTLS and Java all read."""
    key = load_pem_private_key(pem, password=None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

"""A certificate authority for one test run, with a server's and a client's certificate, as the files daemons read.

Writes below the directory it is given.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import trustme


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
            leaf.private_key_pem.write_to_path(str(key))
            leaf.cert_chain_pems[0].write_to_path(str(certificate))
        return made

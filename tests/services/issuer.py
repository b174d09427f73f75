"""A token issuer of our own, run as its own process: none on PyPI signs access tokens and rotates its keys on demand.

Touches the process it started.
"""

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.services.daemon import Daemon, listens
from tests.services.ports import free_port


class Issuer(Daemon):
    """Can be started, stopped and started again on its port; ``reset`` makes it as new."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.command = [sys.executable, Path(__file__).with_name("issuer_program.py"), str(self.port)]
        super().__init__("issuer", directory, lambda: listens(self.port))

    def token(self, scope: str = "", *, audience: str = "eventgate", header: Any = None, **form: Any) -> str:
        """A fresh token as a client gets one; ``claims`` and ``header`` are put over the issuer's own."""
        told = {"grant_type": "client_credentials", "client_id": "soc", "scope": scope, "audience": audience}
        told |= {name: json.dumps(value) if isinstance(value, dict) else value for name, value in form.items()}
        if header is not None:
            told["header"] = json.dumps(header)
        return str(self._ask("/token", told)["access_token"])

    def rotate(self, *, keep: bool) -> None:
        """Sign with new keys; ``keep``: publish the old ones as well."""
        self._ask("/rotate", {"keep": "true" if keep else "false"})

    def reset(self) -> None:
        """Sign with the first keys, and forget what was asked."""
        self._ask("/reset", {})

    def published(self) -> list[dict[str, Any]]:
        return list(self._ask("/keys")["keys"])

    def fetches(self) -> int:
        """How often its keys were fetched, ``published`` included."""
        return int(self._ask("/hits").get("/keys", 0))

    def _ask(self, path: str, form: dict[str, Any] | None = None) -> Any:
        body = None if form is None else urlencode(form).encode()
        with urllib.request.urlopen(self.url + path, data=body, timeout=10) as answer:
            return json.load(answer)

"""A real OpenSearch: one node on loopback, in the clear and without accounts, on data that outlives a kill.

Runs the jars of .tools/opensearch, which scripts/install-opensearch fills. It refuses to be root, so root runs it as an
account that may do nothing else.
"""

import json
import os
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.services.daemon import TOOLS, Daemon, MissingDaemon
from tests.services.ports import free_port

HOME = TOOLS / "opensearch"
_NOBODY = 65534
_CONFIGURATION = """
cluster.name: eventgate-tests
node.name: one
discovery.type: single-node
network.host: 127.0.0.1
http.port: {http}
transport.port: {transport}
node.store.allow_mmap: false
cluster.routing.allocation.disk.threshold_enabled: false
action.auto_create_index: "+eventgate-*,-*"
"""
_LOGGING = """
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d][%p][%c] %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


class OpenSearch(Daemon):
    """``url`` answers in the clear. Indices that begin with eventgate- are made when something is written to them."""

    def __init__(self, directory: Path) -> None:
        java = shutil.which("java")
        if java is None or not (HOME / "lib").is_dir():
            raise MissingDaemon(f"{HOME} or a Java runtime is missing: run scripts/install-opensearch (make test does)")
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        for name in ("config", "data", "logs", "plugins", "tmp"):
            (directory / name).mkdir()
        (directory / "modules").symlink_to(HOME / "modules")
        (directory / "lib").symlink_to(HOME / "lib")
        (directory / "config" / "opensearch.yml").write_text(_CONFIGURATION.format(http=port, transport=free_port()))
        (directory / "config" / "log4j2.properties").write_text(_LOGGING)
        words = ["-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]
        words += ["-Djava.security.manager=allow", "-Dopensearch.distribution.type=tar", "-Dlog4j2.disable.jmx=true"]
        words += [f"-Dopensearch.path.home={directory}", f"-Dopensearch.path.conf={directory}/config"]
        words += [f"-Djava.io.tmpdir={directory}/tmp", "-cp", f"{HOME}/lib/*"]
        program = [java, *words, "org.opensearch.bootstrap.OpenSearch"]
        if os.getuid() == 0:
            for path in (directory, *directory.iterdir()):
                if not path.is_symlink():
                    os.chown(path, _NOBODY, _NOBODY)
            program = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", *program]
        self.command = program
        super().__init__("opensearch", directory, self._answers)

    def __exit__(self, *_: object) -> None:
        self.kill()  # a polite end takes fifteen seconds, and what it holds is thrown away

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A request of the test's own; its answer, which may be an error."""
        request = urllib.request.Request(self.url + path, method=method, headers={"Content-Type": "application/json"})
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data=data, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def documents(self, index: str) -> list[dict[str, Any]]:
        """Every document there is now, with its ``_id``."""
        self.ask("POST", f"/{index}/_refresh")
        found = self.ask("POST", f"/{index}/_search?ignore_unavailable=true", {"size": 10_000})
        return [{"_id": hit["_id"], "_index": hit["_index"], **hit["_source"]} for hit in found["hits"]["hits"]]

    def _answers(self) -> bool:
        try:
            return bool(self.ask("GET", "/_cluster/health?wait_for_status=yellow&timeout=1s").get("status"))
        except OSError:
            return False

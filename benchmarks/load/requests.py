"""Signed writes made before they are needed: no event occurs twice, and none costs the load generator a signature."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from struct import Struct

import orjson

from benchmarks.rows import Site
from eventgate.signing.keys import SigningKey
from eventgate.signing.sign import sign

_LENGTH = Struct(">I").pack
_NUMBER, _TIME = b"@" * 16, b"#" * 24


class Writer:
    """Makes the requests of one sensor of a running gate; ``told`` is its bootstrap.json."""

    def __init__(self, told: Mapping[str, str]) -> None:
        self._told = told
        self._key = SigningKey.from_pem(Path(told["signingKeyFile"]).read_bytes())
        self._templates = [_template(text.raw, told["edgeId"]) for text in Site(1, 1).write(0, 97)]
        self._made = 0

    def body(self, events: int, filling: int = 0) -> bytes:
        """A lone event, or an array of them, stamped with the time of now; ``filling`` makes each so much larger."""
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")[:23].encode() + b"Z"
        texts = [self._event(moment) for _ in range(events)]
        if filling:
            texts = [text[:-2] + b',"filling":"%s"}}' % (text * 9)[:filling].hex()[:filling].encode() for text in texts]
        return texts[0] if events == 1 else b"[" + b",".join(texts) + b"]"

    def request(self, body: bytes, content_type: str = "application/json", **more: str) -> bytes:
        """The whole HTTP/1.1 request of one write."""
        signed = sign("POST", "/v2/events", body, self._key, keyid=self._told["verifyKeyId"], created=int(time.time()))
        fields = {
            "Host": "gate",
            "Authorization": self._told["authKey"],
            "Content-Type": content_type,
            "Content-Length": str(len(body)),
            **{name.replace("_", "-"): value for name, value in more.items()},
            **signed,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"POST /v2/events HTTP/1.1\r\n{head}\r\n".encode() + body

    def requests(self, count: int, events: int) -> Iterator[bytes]:
        for _ in range(count):
            yield self.request(self.body(events))

    def _event(self, moment: bytes) -> bytes:
        self._made += 1
        template = self._templates[self._made % len(self._templates)]
        return template.replace(_NUMBER, b"%016x" % self._made).replace(_TIME, moment)


def _template(raw: bytes, edge: str) -> bytes:
    members = orjson.loads(raw)
    return orjson.dumps(members | {"eventId": _NUMBER.decode(), "timestamp": _TIME.decode(), "edgeId": edge})


def save(prefix: Path, threads: Sequence[Sequence[bytes]]) -> None:
    """Write what each thread of the load generator replays, in the form that replay.lua reads."""
    for number, requests in enumerate(threads):
        with prefix.with_name(f"{prefix.name}.{number}").open("wb") as file:
            for request in requests:
                file.write(_LENGTH(len(request)) + request)

"""Plays Splunk's HTTP Event Collector as its documentation describes it, error answers and acknowledgement included.

Splunk itself is not packaged for tests, so this is written from "Format events for HTTP Event Collector", "HTTP Event
Collector indexer acknowledgment" and the table of its error codes. What it received is indexed after a while, and is
lost if the program is killed before: the very loss that acknowledgement is for.
"""

import asyncio
import json
import uuid
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.services.http_program import Receiver, run

TEXTS = {
    0: (200, "Success"), 1: (403, "Token disabled"), 2: (401, "Token is required"), 3: (401, "Invalid authorization"),
    4: (403, "Invalid token"), 5: (400, "No data"), 6: (400, "Invalid data format"), 7: (400, "Incorrect index"),
    8: (500, "Internal server error"), 9: (503, "Server is busy"), 10: (400, "Data channel is missing"),
    11: (400, "Invalid data channel"), 12: (400, "Event field is required"), 13: (400, "Event field cannot be blank"),
    14: (400, "ACK is disabled"), 15: (400, "Error in handling indexed fields"), 17: (200, "HEC is healthy"),
    18: (503, "HEC is unhealthy, queues are full"), 27: (413, "Request entity too large"),
}  # fmt: skip
_decode = json.JSONDecoder().raw_decode
_SIMPLE = (str, int, float, bool, list)


class Collector(Receiver):
    def __init__(self, output: Path) -> None:
        super().__init__(output)
        self.settings = {
            "tokens": ["first-token"],
            "disabled": [],
            "acknowledges": True,
            "indexes": [],
            "index_seconds": 0.02,
            "never_indexes": False,
            "most_bytes": 1 << 30,
            "poison": None,
            "busy": False,
        }
        self._next: dict[str, int] = {}
        self._indexed: dict[tuple[str, int], bool] = {}
        self._later: set[asyncio.Task[None]] = set()

    def scripted(self, request: web.Request) -> bool:
        return request.path.endswith("/event")

    async def answer(self, request: web.Request, body: bytes) -> web.Response:
        if request.path == "/services/collector/health":
            return _said(18 if self.settings["busy"] else 17)
        if (code := self._stranger(request.headers.get("Authorization"))) is not None:
            return _said(code)
        if request.path == "/services/collector/ack":
            return self._acknowledged(request, body)
        if request.path == "/services/collector/event":
            return self._event(request, body)
        return web.Response(status=404)

    def _stranger(self, authorization: str | None) -> int | None:
        if authorization is None:
            return 2
        scheme, _, token = authorization.partition(" ")
        if scheme != "Splunk":
            return 3
        if token in self.settings["disabled"]:
            return 1
        return None if token in self.settings["tokens"] else 4

    def _event(self, request: web.Request, body: bytes) -> web.Response:
        self.requests.append({"bytes": len(body), "coding": request.headers.get("Content-Encoding")})
        channel = request.headers.get("X-Splunk-Request-Channel") or request.query.get("channel")
        if self.settings["acknowledges"]:
            if channel is None:
                return _said(10)
            if not _is_uuid(channel):
                return _said(11)
        if self.settings["busy"]:
            return _said(9)
        if len(body) > self.settings["most_bytes"]:
            return _said(27)
        events, code = self._read(body.decode())
        said: dict[str, Any] = {}
        if code == 0 and self.settings["acknowledges"]:
            assert channel is not None
            said["ackId"] = self._next[channel] = self._next.get(channel, -1) + 1
            self._indexed[channel, said["ackId"]] = False
        elif code not in (0, 5):
            said["invalid-event-number"] = len(events)
        self.requests[-1] |= {"channel": channel, "ackId": said.get("ackId"), "events": len(events)}
        self._begin_to_index(events, (channel or "", said.get("ackId", -1)))
        return _said(code, **said)

    def _read(self, text: str) -> tuple[list[dict[str, Any]], int]:
        """The events before the first bad one, and what is wrong with that."""
        found: list[dict[str, Any]] = []
        at, end = 0, len(text)
        while True:
            while at < end and text[at].isspace():
                at += 1
            if at == end:
                return found, 0 if found else 5
            start = at
            try:
                each, at = _decode(text, at)
            except json.JSONDecodeError:
                return found, 6
            if (code := self._judge(each, text[start:at])) != 0:
                return found, code
            found.append(each)

    def _judge(self, each: Any, text: str) -> int:
        if not isinstance(each, dict) or (self.settings["poison"] and self.settings["poison"] in text):
            return 6
        if "event" not in each:
            return 12
        if each["event"] in ("", None):
            return 13
        fields = each.get("fields", {})
        if not isinstance(fields, dict) or not all(isinstance(value, _SIMPLE) for value in fields.values()):
            return 15
        if self.settings["indexes"] and each.get("index") not in self.settings["indexes"]:
            return 7
        return 0

    def _begin_to_index(self, events: list[dict[str, Any]], name: tuple[str, int]) -> None:
        if self.settings["never_indexes"]:
            return
        task = asyncio.get_running_loop().create_task(self._index(events, name))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _index(self, events: list[dict[str, Any]], name: tuple[str, int]) -> None:
        await asyncio.sleep(self.settings["index_seconds"])
        self.keep(events)
        if name in self._indexed:
            self._indexed[name] = True

    def _acknowledged(self, request: web.Request, body: bytes) -> web.Response:
        if not self.settings["acknowledges"]:
            return _said(14)
        channel = request.query.get("channel") or request.headers.get("X-Splunk-Request-Channel")
        if channel is None:
            return _said(10)
        asked = json.loads(body)["acks"]
        told = {str(ack): self._indexed.get((channel, ack), False) for ack in asked}
        for ack in asked:
            if told[str(ack)]:  # a status is kept until somebody was told that it is true
                del self._indexed[channel, ack]
        return web.json_response({"acks": told})


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _said(code: int, **more: Any) -> web.Response:
    status, text = TEXTS[code]
    return web.json_response({"text": text, "code": code, **more}, status=status)


if __name__ == "__main__":
    run(Collector)

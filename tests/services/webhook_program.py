"""Plays a receiver of webhooks, which checks every message with the standardwebhooks library before it takes it."""

import json
from pathlib import Path

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from tests.services.http_program import Receiver, run


class Hooked(Receiver):
    def __init__(self, output: Path) -> None:
        super().__init__(output)
        self.settings = {"secret": "", "poison": None, "most_bytes": 1 << 30}

    async def answer(self, request: web.Request, body: bytes) -> web.Response:
        if request.method != "POST":
            return web.Response(status=405)
        told = {name: value for name, value in request.headers.items() if name.startswith(("webhook-", "eventgate-"))}
        self.requests.append({"path": request.path, **told})
        try:
            Webhook(self.settings["secret"]).verify(body, told, json_parse=False)
        except WebhookVerificationError as error:
            return web.Response(status=401, text=str(error))
        if len(body) > self.settings["most_bytes"]:
            return web.Response(status=413, text="too long for me")
        text = body.decode()
        if self.settings["poison"] and self.settings["poison"] in text:
            return web.Response(status=400, text="indigestible\x1b[31m")
        replay = told.get("eventgate-replay")
        structured = request.content_type == "application/json"
        self.keep([{"id": told["webhook-id"], "replay": replay, "body": json.loads(text) if structured else text}])
        return web.Response(status=204)


if __name__ == "__main__":
    run(Hooked)

"""What tests of signing in share: people with passwords, a browser that keeps its cookies, an authenticator app."""

import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pyotp

from eventgate.access.credentials import SESSION_COOKIE
from eventgate.api.access.sessions import DEVICE_COOKIE
from tests.integration.http_service import QUICK, Service

PASSWORD = "seven grey herons wade"
_HASH = QUICK.hash(PASSWORD)


async def person(service: Service, login: str, role: str = "admin", company: UUID | None = None) -> UUID:
    """Somebody who can sign in with PASSWORD."""
    user = uuid4()
    await service.pool.execute(
        "INSERT INTO users (id, company, login, role, password_hash) VALUES ($1, $2, $3, $4, $5)",
        user, company or service.company, login, role, _HASH,
    )  # fmt: skip
    return user


@dataclass
class Browser:
    """Somebody's browser: it sends what cookies it was given, ``X-CSRF-Token`` and, as browsers do, ``Origin``.

    ``address`` is where it sits; the service believes its proxy, which the tests are.
    """

    service: Service
    address: str = "192.0.2.1"
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""
    origin: str = ""
    session: str = ""

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and decoded body. A header whose value is "" is left out."""
        sent = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "X-CSRF-Token": self.token,
            "Origin": self.origin or self.service.url,
            "X-Forwarded-For": self.address,
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in sent.items() if value}
        async with self.service.session.request(method, self.service.url + path, json=body, headers=sent) as answer:
            self.headers = answer.headers
            for cookie in answer.headers.getall("Set-Cookie", []):
                name, value, age = re.match(r"([^=]+)=([^;]*)(.*)", cookie).groups()
                self.cookies[name] = value.strip('"')
                if "max-age=0" in age.lower():
                    del self.cookies[name]
            text = await answer.text()
            return answer.status, (await answer.json(content_type=None) if text else None)

    async def sign_in(self, login: str = "ann", password: str = PASSWORD, **members: str) -> tuple[int, Any]:
        status, found = await self.ask("POST", "/v2/sessions", {"login": login, "password": password, **members})
        if status == 201:
            self.token, self.session = found["csrfToken"], found["id"]
        return status, found

    @property
    def cookie(self) -> str:
        return self.cookies[SESSION_COOKIE]

    def forget_device(self) -> None:
        self.cookies.pop(DEVICE_COOKIE, None)

    async def enrol(self) -> tuple[pyotp.TOTP, list[str]]:
        """Set up a second factor: the app, and the recovery codes. The code of two steps ago confirmed it."""
        status, begun = await self.ask("PUT", "/v2/users/current/reset-2fa", {"password": PASSWORD})
        assert status == 200, begun
        app = pyotp.TOTP(begun["secret"])
        now = self.service.clock.now_ms() // 1000
        status, confirmed = await self.ask("PUT", "/v2/users/current/reset-2fa", {"code": app.at(now - 30)})
        assert status == 200, confirmed
        return app, confirmed["recoveryCodes"]


def code_of(status_and_problem: tuple[int, Any]) -> tuple[int, str]:
    return status_and_problem[0], status_and_problem[1]["code"]

"""``/v2/companies``: who shares this EventGate, for its operator alone.

Touches HTTP and the companies it is handed.
"""

from collections.abc import Sequence
from typing import Annotated

from aiohttp import web
from pydantic import Field

from eventgate.access.companies import Companies, Company
from eventgate.access.people.users import NewUser
from eventgate.api.access.users import Email, Login
from eventgate.api.bodies import Body, Line, described, read_body
from eventgate.api.paging import LIST_PARAMETERS, asked_page, json_response, listed_page
from eventgate.api.parameters import Parameter, one_of
from eventgate.api.problem import not_found, or_not_found
from eventgate.api.routes import Call, Operation, Route
from eventgate.api.schemas import TIME, UUID, Schema, closed, listed, one, or_null, ref

_SCOPE, _TAG = "users:manage", "companies"
_MOST_A_SECOND = 1_000_000

RateLimit = Annotated[
    int | None,
    Field(ge=1, le=_MOST_A_SECOND, description="Requests a second, all its credentials together; null: any number."),
]


class FirstAdmin(Body):
    """Who is invited to run a new company; ``login`` is the email where it is left out."""

    login: Login | None = None
    email: Email | None = None
    name: Line | None = None


class NewCompany(Body):
    """A company, and its first admin."""

    name: Line
    rate_limit: RateLimit = None
    admin: FirstAdmin


class ChangeCompany(Body):
    """What is left out stays as it is."""

    name: Line = ""
    rate_limit: RateLimit = None


_COMPANY: dict[str, Schema] = {
    "id": UUID,
    "name": {"type": "string"},
    "status": {"enum": ["active", "retired"], "description": "Nobody of a retired company is let in."},
    "rateLimit": {**or_null({"type": "integer"}), "description": "Requests a second, all its credentials together."},
    "createdAt": TIME,
    "updatedAt": TIME,
    "retiredAt": or_null(TIME),
}
COMPANY_SCHEMAS: dict[str, Schema] = {
    "Company": closed(_COMPANY),
    "FoundedCompany": closed({**_COMPANY, "admin": ref("InvitedUser")}),
}
_STATUS = Parameter(
    "status",
    "Which to list; all of them where this is left out.",
    {"type": "string", "enum": ["active", "retired"]},
    one_of(["active", "retired"]),
)


class CompanyRoutes:
    """The addresses of companies."""

    def __init__(self, companies: Companies) -> None:
        self._companies = companies

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                "GET", "/v2/companies", _SCOPE, self.list_companies,
                Operation("Every company, newest first", _TAG, {200: listed("Company")}),
                (_STATUS, *LIST_PARAMETERS), operator=True,
            ),
            Route(
                "POST", "/v2/companies", _SCOPE, self.found,
                Operation(
                    "Make a company, and invite its first admin", _TAG,
                    {201: one("FoundedCompany", "Made, and its admin invited")},
                    "All of it or nothing. The invitation is one-time: sent where mail is configured and the admin has "
                    "an address, and otherwise shown in this answer alone.",
                    described(NewCompany), (409, 413, 415, 422),
                ),
                operator=True,
            ),
            Route(
                "GET", "/v2/companies/{companyId}", _SCOPE, self.one_company,
                Operation("One company, active or retired", _TAG, {200: one("Company")}, problems=(404,)),
                operator=True,
            ),
            Route(
                "PATCH", "/v2/companies/{companyId}", _SCOPE, self.change,
                Operation(
                    "Change a company", _TAG, {200: one("Company", "As it is now")},
                    "What is left out stays as it is. Another rate limit is felt within a second.",
                    described(ChangeCompany), (404, 409, 413, 415, 422),
                ),
                operator=True,
            ),
            Route(
                "DELETE", "/v2/companies/{companyId}", _SCOPE, self.retire,
                Operation(
                    "Retire a company, for good", _TAG, {204: {"description": "Retired, now or before"}},
                    "Its API keys, sessions and tokens are refused within a second, and live streams end. Its events "
                    "stay until their retention ends, and its sinks deliver what was stored until then. A company that "
                    "operators of this EventGate belong to cannot be retired.",
                    problems=(404, 409),
                ),
                operator=True,
            ),
        )  # fmt: skip

    async def list_companies(self, call: Call) -> web.StreamResponse:
        status = call.parameters.get("status")
        active = None if status is None else status == "active"
        page = await self._companies.page(asked_page(call.parameters), active=active)
        return listed_page(call, page, Company.shown)

    async def found(self, call: Call) -> web.StreamResponse:
        body = await read_body(call.request, NewCompany)
        admin = NewUser("admin", body.admin.login, body.admin.email, body.admin.name)
        founded = await self._companies.found(call.actor, body.name, body.rate_limit, admin)
        invited = {**founded.admin.shown(), "link": founded.delivery.shown()}
        return json_response({**founded.company.shown(), "admin": invited}, 201, secret=True)

    async def one_company(self, call: Call) -> web.StreamResponse:
        return _shown(await self._companies.get(call.path["companyId"]))

    async def change(self, call: Call) -> web.StreamResponse:
        body = await read_body(call.request, ChangeCompany)
        return _shown(await self._companies.update(call.actor, call.path["companyId"], body.said()))

    async def retire(self, call: Call) -> web.StreamResponse:
        if not await self._companies.retire(call.actor, call.path["companyId"]):
            raise not_found()
        return web.Response(status=204)


def _shown(company: Company | None) -> web.StreamResponse:
    return json_response(or_not_found(company).shown())

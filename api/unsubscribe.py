"""The unsubscribe link of every mail: a page with a button for people, one POST for mail programs (RFC 8058)."""

from uuid import UUID

import jinja2
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.limits import read_body
from database import suppressions
from database.connection import Pool
from database.suppressions import Subscription

router = APIRouter(include_in_schema=False)

KINDS = {"email": "email", "whatsapp": "WhatsApp messages"}
HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
FORM_LIMIT = 16 * 1024

_pages = jinja2.Environment(
    loader=jinja2.PackageLoader("api", "pages"), autoescape=True, undefined=jinja2.StrictUndefined
)


@router.api_route("/unsubscribe/{message_id}", methods=["GET", "HEAD"])
async def ask(request: Request, message_id: str) -> Response:
    """The page. Programs that follow every link change nothing by it."""
    found = await _find(request, message_id)
    return _page(found, done=found is not None and found.unsubscribed)


@router.post("/unsubscribe/{message_id}")
async def unsubscribe(request: Request, message_id: str) -> Response:
    """Send nothing more to this address for this organizer on this channel; asked again it is answered as before."""
    await read_body(request, FORM_LIMIT)
    found = await _find(request, message_id)
    if found is not None:
        await suppressions.unsubscribe(request.app.state.pool, UUID(message_id))
    return _page(found, done=True)


async def _find(request: Request, message_id: str) -> Subscription | None:
    pool: Pool = request.app.state.pool
    try:
        return await suppressions.subscription(pool, UUID(message_id))
    except ValueError:
        return None


def _page(found: Subscription | None, *, done: bool) -> Response:
    page = _pages.get_template("unsubscribe.html")
    if found is None:
        return HTMLResponse(page.render(title="This link leads nowhere", found=False), 404, HEADERS)
    title = "You are unsubscribed" if done else "Unsubscribe?"
    words = {"organizer": found.organizer, "kind": KINDS[found.channel], "address": masked(found.address)}
    return HTMLResponse(page.render(title=title, found=True, done=done, **words), 200, HEADERS)


def masked(address: str) -> str:
    """Enough of an address for its owner to know it by."""
    if "@" not in address:
        return f"•••{address[-2:]}"
    name, _, domain = address.rpartition("@")
    host, dot, rest = domain.partition(".")
    return f"{name[:1]}•••@{host[:1]}•••{dot}{rest}"

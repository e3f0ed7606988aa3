"""Where providers deliver: verified over the raw body, stored once, answered at once. What follows is intake's."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api.health import COUNTED
from api.limits import read_body
from database import webhooks
from models.webhooks import BadSignature, Malformed, Provider
from providers import resend_webhooks, twilio_webhooks
from settings import Settings

log = structlog.get_logger()
router = APIRouter(prefix="/webhooks", include_in_schema=False)

MESSAGE_ID = {"resend": resend_webhooks.message_id, "twilio": twilio_webhooks.message_id}


@router.post("/resend")
async def resend(request: Request) -> Response:
    """A delivery of the live Resend account."""
    settings: Settings = request.app.state.settings
    return await _resend(request, settings.resend_webhook_secret.get_secret_value(), rehearsal=False)


@router.post("/twilio")
async def twilio(request: Request) -> Response:
    """A delivery of the live Twilio account."""
    settings: Settings = request.app.state.settings
    return await _twilio(request, settings.twilio_auth_token.get_secret_value(), rehearsal=False)


@router.post("/rehearsal/resend")
async def rehearsal_resend(request: Request) -> Response:
    """A delivery of the sandbox to a rehearsal; it speaks of rehearsal messages only."""
    return await _resend(request, _rehearsal(request, resend_webhooks.REHEARSAL_SECRET), rehearsal=True)


@router.post("/rehearsal/twilio")
async def rehearsal_twilio(request: Request) -> Response:
    """A delivery of the sandbox to a rehearsal; it speaks of rehearsal messages only."""
    return await _twilio(request, _rehearsal(request, twilio_webhooks.REHEARSAL_TOKEN), rehearsal=True)


def _rehearsal(request: Request, secret: str) -> str:
    """The secret of rehearsals; none where there are no rehearsals, since everybody knows it."""
    return secret if request.app.state.settings.sandbox_url else ""


async def _resend(request: Request, secret: str, *, rehearsal: bool) -> Response:
    body = await read_body(request)
    if not secret:
        return _closed("resend", "RESEND_WEBHOOK_SECRET", rehearsal=rehearsal)
    try:
        key, said = resend_webhooks.verify(body, request.headers, secret)
    except (BadSignature, Malformed) as refused:
        return _refused("resend", refused)
    return await _keep(request, "resend", key, said, rehearsal=rehearsal)


async def _twilio(request: Request, token: str, *, rehearsal: bool) -> Response:
    body = await read_body(request)
    if not token:
        return _closed("twilio", "TWILIO_AUTH_TOKEN", rehearsal=rehearsal)
    try:
        key, said = twilio_webhooks.verify(_address(request), body, request.headers.get("x-twilio-signature"), token)
    except (BadSignature, Malformed) as refused:
        return _refused("twilio", refused)
    return await _keep(request, "twilio", key, said, rehearsal=rehearsal)


def _address(request: Request) -> str:
    """The address that Twilio was given: behind a proxy the request's own is another one."""
    settings: Settings = request.app.state.settings
    path = request.scope["raw_path"].decode("latin-1")
    query = request.scope["query_string"].decode("latin-1")
    return f"{settings.public_url.rstrip('/')}{path}{'?' if query else ''}{query}"


async def _keep(
    request: Request, provider: Provider, key: str, said: Mapping[str, Any], *, rehearsal: bool
) -> Response:
    message_id: UUID | None = MESSAGE_ID[provider](said)
    new = await webhooks.store(request.app.state.pool, provider, key, dict(said), message_id, rehearsal=rehearsal)
    COUNTED.labels(provider, "stored" if new else "repeated").inc()
    return Response(status_code=204)


def _refused(provider: Provider, refused: BadSignature | Malformed) -> Response:
    log.warning("webhook_refused", provider=provider, why=type(refused).__name__)
    COUNTED.labels(provider, "refused").inc()
    return JSONResponse({"detail": str(refused)}, 401 if isinstance(refused, BadSignature) else 400)


def _closed(provider: Provider, name: str, *, rehearsal: bool) -> Response:
    """Without a secret nothing can be verified. A 503 has the provider deliver again once it is set."""
    COUNTED.labels(provider, "refused").inc()
    if rehearsal:
        return JSONResponse({"detail": "There are no rehearsals here: SANDBOX_URL is not set."}, 404)
    log.error("webhook_not_verifiable", provider=provider, missing=name)
    return JSONResponse({"detail": f"{name} is not set, so that nothing can be verified."}, 503)

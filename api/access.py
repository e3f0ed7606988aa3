"""Who asks: the API key of a request, and what it opens."""

from collections.abc import Awaitable, Callable

from fastapi import HTTPException, Request
from fastapi.security.utils import get_authorization_scheme_param

from database import keys
from database.keys import Key, Role


def needs(role: Role) -> Callable[[Request], Awaitable[Key]]:
    """The key of a request that may do what this role may; 401 without one, 403 if it opens too little."""

    async def key_of(request: Request) -> Key:
        scheme, token = get_authorization_scheme_param(request.headers.get("authorization"))
        if scheme.lower() != "bearer" or not token:
            raise _unknown("Send an API key: `Authorization: Bearer eventos_...`. `eventos api-key create` makes one.")
        key = await keys.find(request.app.state.pool, token)
        if key is None:
            raise _unknown("This API key is not known, or was revoked.")
        if not key.may(role):
            raise HTTPException(403, f"This needs the role {role}; the key is a {key.role}'s.")
        return key

    return key_of


def _unknown(words: str) -> HTTPException:
    return HTTPException(401, words, {"www-authenticate": "Bearer"})

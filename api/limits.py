"""How much of a request is read."""

from fastapi import Request

BODY_LIMIT = 1024 * 1024


class TooLarge(Exception):
    """The body is larger than is read."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit} bytes.")


async def read_body(request: Request, limit: int = BODY_LIMIT) -> bytes:
    """The raw body. Raises TooLarge as soon as it is more than `limit` bytes, whatever it said of itself."""
    said = request.headers.get("content-length", "0")
    if said.isdigit() and int(said) > limit:
        raise TooLarge(limit)
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise TooLarge(limit)
    return bytes(body)

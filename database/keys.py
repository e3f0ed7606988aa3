"""API keys: shown once, kept as a hash, each for one organizer and one role."""

import hashlib
import secrets
from typing import Literal, NamedTuple, get_args
from uuid import UUID

from database.connection import Pool

Role = Literal["viewer", "operator", "approver"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Each may do what those before it may: look; run and steer; approve."""

PREFIX = "eventos_"


class Key(NamedTuple):
    """What a key opens."""

    id: UUID
    organizer_id: UUID
    role: Role

    def may(self, role: Role) -> bool:
        """Whether it opens what this role opens."""
        return ROLES.index(self.role) >= ROLES.index(role)


async def create(pool: Pool, organizer_id: UUID, role: Role) -> str:
    """A new key of an organizer; nobody can show it a second time."""
    token = PREFIX + secrets.token_urlsafe(32)
    await pool.execute(
        "INSERT INTO api_keys (organizer_id, role, hash) VALUES ($1, $2, $3)", organizer_id, role, _hash(token)
    )
    return token


async def find(pool: Pool, token: str) -> Key | None:
    """What this key opens; None if it was never given out, or was revoked."""
    row = await pool.fetchrow(
        "SELECT id, organizer_id, role FROM api_keys WHERE hash = $1 AND revoked_at IS NULL", _hash(token)
    )
    return Key(*row.values()) if row else None


async def organizers(pool: Pool, reference: str) -> list[tuple[UUID, str]]:
    """The organizers of this id, or of a name with this in it."""
    rows = await pool.fetch(
        """
        SELECT id, name FROM organizers
        WHERE rehearsal_of IS NULL AND (id::text = lower($1) OR strpos(lower(name), lower($1)) > 0) ORDER BY name LIMIT 20
        """,
        reference,
    )
    return [(row["id"], row["name"]) for row in rows]


def _hash(token: str) -> bytes:
    # 256 random bits need no slow hash.
    return hashlib.sha256(token.encode(errors="replace")).digest()

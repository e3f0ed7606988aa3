"""A rehearsal's scope: what its organizer has decided holds in it too."""

from datetime import UTC, datetime, time
from typing import Any
from uuid import uuid4

from database import rehearsals
from database.connection import Pool
from tests.world import make_world

OWN = ("id", "created_at", "rehearsal_of")
SETTINGS: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "quiet_from": time(22),
    "quiet_until": time(7),
    "cap_messages": 3,
    "cap_days": 5,
    "sender_email": "post@river.example",
    "overlap": "all",
    "event_moved_notice": False,
    "event_cancelled_notice": False,
}


async def test_a_rehearsal_has_every_setting_of_its_organizer(pool: Pool) -> None:
    """Or it would tell people what the real event does not, and the other way round."""
    world = await make_world(pool)
    await world.set_organizer(**SETTINGS)
    copy = await rehearsals.copy_event(pool, world.event, uuid4(), datetime.now(UTC))
    query = "SELECT o.* FROM organizers o JOIN events e ON e.organizer_id = o.id WHERE e.id = $1"
    real, shadow = [dict(await pool.fetchrow(query, event) or {}) for event in (world.event, copy)]
    assert shadow["rehearsal_of"] == world.organizer
    fresh = await pool.fetchrow("INSERT INTO organizers (name, email) VALUES ('New', 'new@river.example') RETURNING *")
    assert fresh is not None
    for name in real.keys() - set(OWN):
        assert real[name] != fresh[name], f"{name} is as for everybody, which proves nothing: set it above"
        assert shadow[name] == real[name], name

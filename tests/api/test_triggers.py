"""What other systems report: kept for the key's own events, refused in clear words else."""

from typing import Any
from uuid import uuid4

import pytest

from database import keys
from database.connection import Pool
from database.keys import Role
from tests.serving import Api
from tests.world import World, make_world


async def bearer(pool: Pool, world: World, role: Role = "operator") -> dict[str, str]:
    return {"authorization": f"Bearer {await keys.create(pool, world.organizer, role)}"}


async def test_what_happened_elsewhere_is_an_occurrence_of_its_event(api: Api, pool: Pool, world: World) -> None:
    body = {
        "event": str(world.event),
        "subject": "order/7",
        "data": {"plan": "gold", "seats": 3, "paid": True, "note": None},
    }
    answer = await api.http.post("/api/triggers/order_placed", json=body, headers=await bearer(pool, world))
    assert answer.status_code == 202, answer.text
    row = await pool.fetchrow("SELECT * FROM occurrences WHERE id = $1", answer.json()["occurrence"])
    assert row is not None
    assert (row["kind"], row["event_id"], row["automation_id"], row["lane"]) == ("order_placed", world.event, None, 0)
    assert (row["subject"], row["data"]) == (f"external/{world.organizer}/order/7", body["data"])


async def test_without_a_known_key_nothing_is_taken(api: Api, pool: Pool, world: World) -> None:
    token = await keys.create(pool, world.organizer, "approver")
    for headers, words in (
        ({}, "eventos api-key create"),
        ({"authorization": f"Basic {token}"}, "eventos api-key create"),
        ({"authorization": "Bearer eventos_wrong"}, "not known"),
    ):
        answer = await api.http.post("/api/triggers/order_placed", json={"event": str(world.event)}, headers=headers)
        assert (answer.status_code, words in answer.json()["detail"]) == (401, True)
        assert answer.headers["www-authenticate"] == "Bearer"
    await pool.execute("UPDATE api_keys SET revoked_at = now()")
    revoked = {"authorization": f"Bearer {token}"}
    answer = await api.http.post("/api/triggers/order_placed", json={"event": str(world.event)}, headers=revoked)
    assert answer.status_code == 401


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("operator", 202), ("approver", 202)])
async def test_who_may_only_look_may_report_nothing(
    api: Api, pool: Pool, world: World, role: Role, status: int
) -> None:
    headers = await bearer(pool, world, role)
    answer = await api.http.post("/api/triggers/order_placed", json={"event": str(world.event)}, headers=headers)
    assert answer.status_code == status, answer.text


async def test_an_event_of_somebody_else_does_not_exist(api: Api, pool: Pool, world: World) -> None:
    other = await make_world(pool)
    for event in (other.event, uuid4()):
        answer = await api.http.post(
            "/api/triggers/order_placed", json={"event": str(event)}, headers=await bearer(pool, world)
        )
        assert (answer.status_code, answer.json()["detail"]) == (404, f"You have no event {event}.")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "event_status_change",
            "webhook",
            "cancelled",
            "message_opened",
            "deliverable_submitted",
            "registration_confirmed",
        ),
        *("rules_changed", "sequence_created", "sponsor_signed", "checked_in", "step_settled", "ticket_scanned"),
    ],
)
async def test_what_eventos_itself_reports_nobody_else_may(api: Api, pool: Pool, world: World, name: str) -> None:
    await pool.execute(
        "INSERT INTO automation_rules (name, kind, occurrence, workflow_type) VALUES ('x', 'event', 'ticket_scanned', 'custom')"
    )
    before = await pool.fetchval("SELECT count(*) FROM occurrences")
    answer = await api.http.post(
        f"/api/triggers/{name}", json={"event": str(world.event)}, headers=await bearer(pool, world)
    )
    assert (answer.status_code, "choose a name of your own" in answer.json()["detail"]) == (422, True)
    assert await pool.fetchval("SELECT count(*) FROM occurrences") == before


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("Order-Placed", {}),
        ("order_placed", {"event": "x"}),
        ("order_placed", {"event": None}),
        ("order_placed", {"data": {"a": {"deep": 1}}}),
        ("order_placed", {"data": {"a": "x" * 3000}}),
        ("order_placed", {"data": []}),
        ("order_placed", {"data": {"rule": "the id of a rule that has not come due"}}),
        ("order_placed", {"subject": ""}),
        ("order_placed", {"automation_id": "x"}),
    ],
)
async def test_what_makes_no_sense_is_named(
    api: Api, pool: Pool, world: World, name: str, body: dict[str, Any]
) -> None:
    answer = await api.http.post(
        f"/api/triggers/{name}", json={"event": str(world.event)} | body, headers=await bearer(pool, world)
    )
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"]


async def test_keys_are_kept_as_hashes(pool: Pool, world: World) -> None:
    token = await keys.create(pool, world.organizer, "viewer")
    kept = str(dict(await pool.fetchrow("SELECT * FROM api_keys") or {}))
    assert token not in kept
    assert token.removeprefix("eventos_") not in kept

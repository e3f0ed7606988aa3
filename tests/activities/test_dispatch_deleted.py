"""Mail of an event that is deleted while it is under way: what was not posted is not, and the others get theirs."""

from activities.compose import Composer
from activities.dispatch import Dispatch
from activities.mailing import Mailing
from database import claims
from database.batches import Batch
from database.connection import Pool
from database.outbox import enqueue
from providers.accounts import Accounts
from tests.activities.conftest import Providers, to_the_end
from tests.world import World, make_world

DELETE = "DELETE FROM events WHERE id = $1"


async def claimed_with_another(pool: Pool, world: World) -> tuple[World, Batch]:
    """Mail of two events in one request that is to be made."""
    other = await make_world(pool)
    for one in (world, other):
        await one.people(2)
        await enqueue(pool, one.request())
    (batch,) = (await claims.claim(pool, "email", rehearsal=False, limit=100)).batches
    assert {message.event_id for message in batch.messages} == {world.event, other.event}
    return other, batch


async def test_what_is_deleted_while_its_words_are_made_is_not_posted_and_the_others_go_back_to_the_gates(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    other, batch = await claimed_with_another(pool, world)
    async for line in Mailing(pool, accounts.email, Composer(pool, "http://127.0.0.1")).carry(batch):
        assert line == "composed"
        await pool.execute(DELETE, world.event)
    assert await providers.requests() == 0
    await to_the_end(pool, dispatch)
    assert set(await providers.accepted_ids()) == {str(message["id"]) for message in await other.messages()}


async def test_a_posted_request_that_holds_mail_of_a_deleted_event_is_looked_up_and_not_repeated(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    other, batch = await claimed_with_another(pool, world)
    async for line in Mailing(pool, accounts.email, Composer(pool, "http://127.0.0.1")).carry(batch):
        if line == "stored":
            break
    await pool.execute(DELETE, world.event)
    await to_the_end(pool, dispatch)
    assert await providers.accepted() == []
    assert await other.counts() == {"unknown": 2}

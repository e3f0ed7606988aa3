"""The way into PostgreSQL, and what is said when there is none."""

import asyncpg
import pytest
from pydantic import BaseModel

from database.connection import DatabaseUnreachable, address, connect, connect_pool
from dev.child import free_port


class Thing(BaseModel):
    name: str


@pytest.mark.parametrize("value", [{"a": [1, None, "é"]}, [], "text", 3, True, None])
async def test_jsonb_goes_in_and_comes_out_as_python_values(pool, value):
    assert await pool.fetchval("SELECT $1::jsonb", value) == value


async def test_a_model_is_stored_as_its_json(pool):
    assert await pool.fetchval("SELECT $1::jsonb", {"thing": Thing(name="x")}) == {"thing": {"name": "x"}}


async def test_what_cannot_be_json_is_refused_with_its_type(pool):
    with pytest.raises(asyncpg.DataError, match="not JSON serializable: set"):
        await pool.fetchval("SELECT $1::jsonb", {1})


async def test_sessions_speak_utc_and_say_who_they_are(pool):
    said = [await pool.fetchval(f"SHOW {name}") for name in ("timezone", "application_name", "jit")]
    assert said == ["UTC", "eventos", "off"]


@pytest.mark.parametrize("way", [connect, connect_pool])
async def test_nobody_listening_is_said_with_the_address_and_without_the_password(way):
    port = free_port()
    with pytest.raises(DatabaseUnreachable, match=f"127.0.0.1:{port}/eventos") as caught:
        await way(f"postgresql://someone:secret@127.0.0.1:{port}/eventos")
    assert "secret" not in str(caught.value)
    assert "someone" not in str(caught.value)


async def test_a_database_that_is_not_there_is_named(database):
    with pytest.raises(DatabaseUnreachable, match='database "nowhere" does not exist'):
        await connect(f"{database.rpartition('/')[0]}/nowhere")


@pytest.mark.parametrize(
    "url", ["mysql://u:secret@h/db", "postgresql://u:secret@h:port/db", "secret", "postgresql://u:secret@[h/db"]
)
async def test_a_malformed_address_is_never_repeated(url):
    with pytest.raises(DatabaseUnreachable) as caught:
        await connect(url)
    assert "secret" not in str(caught.value)


def test_an_address_has_no_user():
    assert address("postgresql://user:secret@db.example.com/eventos") == "db.example.com:5432/eventos"

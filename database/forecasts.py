"""Forecasts as the weather provider gave them, kept for the business day, so that a batch does not ask for each mail."""

from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from database.connection import Pool

ASK_AGAIN = timedelta(minutes=5)
"""Real time after which a provider that failed is asked again."""


class Told(NamedTuple):
    """What was said on a day: the forecast, or why there is none."""

    days: list[dict[str, Any]] | None
    problem: str | None


async def told(pool: Pool, event_id: UUID, today: date, question: str) -> Told | None:
    """What was said today about an event; None when it is time to ask."""
    row = await pool.fetchrow(
        """
        SELECT days, problem FROM forecasts
        WHERE event_id = $1 AND told_on = $2 AND question = $3 AND (problem IS NULL OR asked_at > now() - $4::interval)
        """,
        *(event_id, today, question, ASK_AGAIN),
    )
    return None if row is None else Told(*row)


async def keep(pool: Pool, event_id: UUID, today: date, question: str, said: Told) -> None:
    """Keep what was said; an answer replaces a failure, and no failure an answer."""
    await pool.execute(
        """
        INSERT INTO forecasts (event_id, told_on, question, days, problem) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (event_id, told_on, question) DO UPDATE
        SET days = excluded.days, problem = excluded.problem, asked_at = now()
        WHERE forecasts.problem IS NOT NULL
        """,
        *(event_id, today, question, said.days, said.problem),
    )

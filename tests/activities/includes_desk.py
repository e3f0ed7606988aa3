"""A world whose event has everything that includes are made of, and two registered people who differ."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from activities.compose import Composed, Composer
from database import claims
from database.connection import Pool
from database.outbox import enqueue
from models.automation import Action, Step
from models.messages import EmailMessage
from providers.weather import Weather
from tests.world import World

DETAILS: dict[str, Any] = {
    "what_to_expect": "Talks and tea.",
    "directions": "Tram 4 to the river.",
    "parking": "Garage below the hall.",
    "hotel": "Hotel Example keeps rooms.",
    "check_in": "Doors open at eight.",
    "organizer_note": "We are sorry for the trouble.",
    "latitude": 52.52,
    "longitude": 13.4,
    "app_link": "https://river.example/app",
    "live_updates_link": "https://river.example/live",
    "survey_link": "https://river.example/survey",
    "photos_link": "https://river.example/photos",
    "community_link": "https://river.example/community",
    "slack_link": "https://river.example/slack",
    "linkedin_group_link": "https://river.example/linkedin",
    "newsletter_link": "https://river.example/newsletter",
    "special_offer": {"text": "A free book.", "link": "https://river.example/book"},
    "referral": {"text": "Bring a colleague.", "link": "https://river.example/bring"},
    "resources": [{"label": "All links", "url": "https://river.example/links"}],
    "meetups": [{"title": "Breakfast", "when": "Thursdays", "place": "Café"}],
    "community_highlights": [{"label": "Forty answers"}],
    "testimonials": [{"words": "Splendid.", "by": "A guest"}],
}
STARTS = timedelta(days=3)


@dataclass
class Desk:
    """The world, and who and what is in it."""

    world: World
    ada: UUID
    ben: UUID
    weather: Weather | None = None

    @property
    def pool(self) -> Pool:
        """The world's pool."""
        return self.world.pool

    async def composed(self, *include: str, template: str = "welcome_preparation") -> Composed[EmailMessage]:
        """Mail of this template with these includes, to everybody registered, as far as it can be composed."""
        await self.pool.execute("DELETE FROM messages")
        await enqueue(self.pool, self.world.request(step(*include, template=template)))
        found: Composed[EmailMessage] = Composed()
        for alone in (False, True):
            for batch in (await claims.claim(self.pool, "email", rehearsal=False, limit=100, alone=alone)).batches:
                part = await Composer(self.pool, "http://127.0.0.1:8000", self.weather).mails(batch)
                found.ready += part.ready
                found.failed += part.failed
                found.faulty += part.faulty
                found.missing |= part.missing
        return found

    async def mails(self, *include: str, template: str = "welcome_preparation") -> dict[str, EmailMessage]:
        """The mails by the reader's address."""
        composed = await self.composed(*include, template=template)
        assert (composed.failed, composed.faulty) == ([], [])
        return {mail.to: mail for _, mail in composed.ready}

    async def missing(self, *include: str, template: str = "welcome_preparation") -> dict[str, dict[str, str]]:
        """What each reader's mail goes without, by address."""
        composed = await self.composed(*include, template=template)
        assert (composed.failed, composed.faulty) == ([], [])
        return {mail.to: dict(composed.missing.get(message.id, {})) for message, mail in composed.ready}

    async def set_details(self, **changes: Any) -> None:
        """Other details; None takes one away."""
        details = {key: value for key, value in (DETAILS | changes).items() if value is not None}
        await self.world.set_event(details=details)


def step(*include: str, template: str = "welcome_preparation") -> Step:
    """A step that sends it; each of these includes makes another step, so that nothing is decided already."""
    action = Action(verb="email", template=template, audience="registered_attendees", include=include)
    return Step(id=f"step_{uuid4().hex}", name="Step", moment="0 hours", actions=(action,))


async def make_desk(world: World) -> Desk:
    """Three days before the event."""
    now = datetime.now(UTC)
    starts = (now + STARTS).replace(hour=8, minute=0, second=0, microsecond=0)
    await world.set_event(starts_at=starts, ends_at=starts + timedelta(days=1, hours=8), details=DETAILS)
    await world.pool.execute("UPDATE events SET date_revision = 0")
    ada = await world.contact("ada@people.example", first_name="Ada", last_name="Byron", interests=["data", "ai"])
    ben = await world.contact("ben@people.example", first_name="Ben", interests=["Design"])
    for contact, code in ((ada, "RIV-A"), (ben, "RIV-B")):
        await world.pool.execute(
            "INSERT INTO registrations (event_id, contact_id, ticket_type, ticket_code) VALUES ($1, $2, 'General', $3)",
            *(world.event, contact, code),
        )
    for name, topics in (("Grace Hopper", ["data"]), ("Dieter Rams", ["design"]), ("Alan Kay", ["ai", "data"])):
        await world.pool.execute(
            "INSERT INTO speakers (event_id, name, title, topics) VALUES ($1, $2, 'Maker', $3)",
            world.event,
            name,
            topics,
        )
    programme = [
        (0, "Streams", "Grace Hopper", ["data"]),
        (0, "Chairs", "Dieter Rams", ["design"]),
        (2, "Agents", "Alan Kay", ["ai", "data"]),
        (26, "Dinner", None, []),
    ]
    for hours, title, speaker, topics in programme:
        await world.pool.execute(
            """
            INSERT INTO sessions (event_id, speaker_id, title, room, kind, topics, starts_at, ends_at, slides_url, recording_url)
            SELECT $1, (SELECT id FROM speakers WHERE event_id = $1 AND name = $2::text), $3::text, 'Hall 1', $4, $5, $6::timestamptz, $6::timestamptz + interval '1 hour',
                   CASE WHEN $2::text <> '' THEN 'https://river.example/slides/' || $3 ELSE '' END,
                   CASE WHEN $2::text <> '' THEN 'https://river.example/video/' || $3 ELSE '' END
            """,
            *(
                world.event,
                speaker or "",
                title,
                "talk" if speaker else "networking",
                topics,
                starts + timedelta(hours=hours),
            ),
        )
    await attended(world, ada, "Streams")
    await attended(world, ben, "Chairs")
    await world.pool.execute(
        """
        INSERT INTO events (organizer_id, name, tagline, status, starts_at, ends_at, timezone, city, url, details)
        VALUES ($1, 'Lake Conf', 'By the lake', 'published', $2, $2, 'Europe/Berlin', 'Konstanz', 'https://lake.example',
                '{"early_bird": {"text": "A fifth less.", "link": "https://lake.example/early"}}')
        """,
        *(world.organizer, starts + timedelta(days=100)),
    )
    return Desk(world, ada, ben)


async def attended(world: World, contact: UUID, title: str) -> None:
    """Somebody was in a session."""
    await world.pool.execute(
        """
        INSERT INTO session_attendance (session_id, registration_id)
        SELECT s.id, r.id FROM sessions s JOIN registrations r USING (event_id)
        WHERE s.event_id = $1 AND r.contact_id = $2 AND s.title = $3
        """,
        *(world.event, contact, title),
    )

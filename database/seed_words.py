"""Who and what the seed speaks of: invented people, companies and sessions. Addresses end in names reserved for examples."""

from typing import NamedTuple

FIRST_NAMES = [
    "Ana",
    "João",
    "Inês",
    "Miguel",
    "Beatriz",
    "Tiago",
    "Sofia",
    "Rui",
    "Olivia",
    "Harry",
    "Amelia",
    "Jack",
    "Isla",
    "George",
    "Grace",
    "Oscar",
    "Lena",
    "Jonas",
    "Mia",
    "Felix",
    "Hannah",
    "Lukas",
    "Clara",
    "Emil",
    "Ava",
    "Noah",
    "Emma",
    "Liam",
    "Zoe",
    "Ethan",
    "Nora",
    "Caleb",
    "Larissa",
    "Bruno",
    "Camila",
    "Rafael",
    "Mei",
    "Wei",
    "Priya",
    "Arjun",
]
LAST_NAMES = [
    "Almeida",
    "Carvalho",
    "Ferreira",
    "Lopes",
    "Marques",
    "Nogueira",
    "Pereira",
    "Ramos",
    "Teixeira",
    "Vieira",
    "Ashworth",
    "Bennett",
    "Carter",
    "Doyle",
    "Ellison",
    "Foster",
    "Grant",
    "Hughes",
    "Bauer",
    "Fischer",
    "Hoffmann",
    "Keller",
    "Lehmann",
    "Neumann",
    "Richter",
    "Schuster",
    "Adams",
    "Brooks",
    "Collins",
    "Diaz",
    "Edwards",
    "Fleming",
    "Barbosa",
    "Cardoso",
    "Moreira",
    "Ribeiro",
    "Chen",
    "Lim",
    "Nair",
    "Tan",
]
COMPANIES = (
    "Harbour Labs", "Northlight", "Kestrel Systems", "Fieldnote", "Bluebarn", "Tidewater Health", "Orchard Bank", "Lumen Rail",
    "Papertrail", "Quarry Energy", "Ravelin Foods", "Saltmarsh Studio", "Sundial Logistics", "Terrace Media", "Umber Robotics",
    "Vantage Grid", "Wicker & Co", "Yarrow Games", "Zephyr Air", "Copperfield Insurance",
)  # fmt: skip
INTERESTS = ("platforms", "data", "ai", "design", "leadership", "security", "reliability", "community")

ZONES = (
    ("Europe/Lisbon", 140),
    ("Europe/London", 80),
    ("Europe/Berlin", 70),
    ("America/New_York", 50),
    ("America/Sao_Paulo", 35),
    ("Asia/Singapore", 25),
)
"""Time zones of the contacts, with how many live in each."""

ORGANIZER = {
    "name": "Lisbon Builders Guild",
    "email": "team@lisbonbuilders.example.com",
    "sender_email": "hello@lisbonbuilders.example.com",
    "postal_address": "Rua do Exemplo 12, 1200-109 Lisboa, Portugal",
    "timezone": "Europe/Lisbon",
}
WHATSAPP_CONTENT = {
    "whatsapp_broadcast": "HX5f2a9c81d04e4b7e93a6c1d8f0b27e35",
    "final_reminder": "HX8c41e7b60fd94a2f8b3d5e92a17c06d4",
    "deliverable_urgent": "HX9b1d64f0a7c2583e1f40d6ab78c95e21",
    "day_of_welcome": "HX31f7a0c96be54d28b0e7249df1835ac4",
    "join_community": "HXc52e8d1743fa4b06951c7de03a8f6b29",
}

EVENT = {
    "name": "Buildcraft Lisbon",
    "tagline": "Two days on software that lasts",
    "description": (
        "Buildcraft brings four hundred people who build and run software together for two days by the river: short talks from "
        "practice, long workshops, and evenings with time to talk."
    ),
    "venue": "Pavilhão do Rio",
    "city": "Lisbon",
    "address": "Doca do Exemplo 4, 1350-352 Lisboa",
    "url": "https://buildcraft.example.com",
    "register_url": "https://buildcraft.example.com/register",
    "price": "€390",
    "capacity": 400,
    "audience": "Engineers, designers and product people who build and run software for a living",
    "brand_color": "#0f5c66",
    "sponsor_categories": ["cloud", "developer tools", "observability", "hiring", "banking"],
}
EVENT_DETAILS = {
    "check_in": "Doors open at 08:00. Show the QR code of your ticket at the desk under your initial; bring a photo ID.",
    "directions": "Train to the riverside stop, then five minutes along the water. Trams 15 and 18 stop at the gate.",
    "parking": "Car park P2 beside the pavilion, €12 a day, from 07:00. Bicycles stand inside the gate, free.",
    "hotel": "Hotel Exemplo, 400 m away, keeps rooms at €135 with the word BUILDCRAFT until two weeks before.",
    "what_to_expect": "Talks in two rooms in the morning, workshops after lunch, dinner for everybody on the first evening.",
    "app_link": "https://buildcraft.example.com/app",
    "live_updates_link": "https://buildcraft.example.com/live",
    "survey_link": "https://buildcraft.example.com/survey",
    "photos_link": "https://buildcraft.example.com/photos",
    "community_link": "https://buildcraft.example.com/community",
    "slack_link": "https://buildcraft.example.com/slack",
    "linkedin_group_link": "https://buildcraft.example.com/linkedin",
    "newsletter_link": "https://buildcraft.example.com/newsletter",
    "sponsor_portal_link": "https://buildcraft.example.com/sponsors",
    "latitude": 38.6967,
    "longitude": -9.1793,
    "referral": {
        "text": "Bring a colleague who has never been there, and both of you pay a fifth less.",
        "link": "https://buildcraft.example.com/bring-a-colleague",
    },
    "special_offer": {
        "text": "Read the book of last year's talks, free for everybody who was there.",
        "link": "https://buildcraft.example.com/book",
    },
    "resources": [
        {"label": "Every link that was on a slide", "url": "https://buildcraft.example.com/links"},
        {"label": "The reading list of the speakers", "url": "https://buildcraft.example.com/reading"},
    ],
    "meetups": [
        {"title": "Builders' breakfast", "when": "every first Thursday, 08:00", "place": "Café do Cais, Lisbon"},
        {
            "title": "Repair night",
            "when": "every third Tuesday, 19:00",
            "link": "https://buildcraft.example.com/repair",
        },
    ],
    "community_highlights": [
        {"label": "Forty answers to one question about backups", "url": "https://buildcraft.example.com/backups"},
        {"label": "The breakfast has found a second city: Porto"},
    ],
    "testimonials": [
        {"words": "We hired two people and found three customers.", "by": "A sponsor of last year"},
        {"words": "I left with a list and worked it off by Friday.", "by": "A guest of last year"},
    ],
}
NEXT_EVENT = {
    "name": "Harbour Systems Day",
    "tagline": "One day, one room, ten systems that are still up",
    "venue": "Armazém 9",
    "city": "Porto",
    "address": "Cais do Exemplo 9, 4050-000 Porto",
    "url": "https://harbour.example.com",
    "register_url": "https://harbour.example.com/register",
    "price": "€190",
}
NEXT_DETAILS = {"early_bird": {"text": "Whoever was in Lisbon pays €140 instead of €190."}}


class Speaker(NamedTuple):
    """One who speaks."""

    name: str
    title: str
    company: str
    bio: str
    topics: tuple[str, ...]


SPEAKERS = (
    Speaker("Marta Quintela", "Principal Engineer", "Harbour Labs", "Moved a port authority off its mainframe, twice.", ("platforms", "reliability")),
    Speaker("Dominic Ashby", "Head of Platform", "Northlight", "Runs a platform that two hundred teams chose freely.", ("platforms", "leadership")),
    Speaker("Ingrid Solheim", "Data Lead", "Lumen Rail", "Makes timetables that keep their promises.", ("data", "reliability")),
    Speaker("Rohan Mehta", "Staff Engineer", "Orchard Bank", "Writes payment systems and the books about them.", ("security", "reliability")),
    Speaker("Celeste Moreau", "Design Director", "Fieldnote", "Designs tools for people who wear gloves.", ("design",)),
    Speaker("Tomás Arantes", "CTO", "Umber Robotics", "Teaches warehouses to tidy up after themselves.", ("ai", "platforms")),
    Speaker("Abigail Thorne", "Engineering Manager", "Tidewater Health", "Leads the team behind a hospital's quietest pager.", ("leadership",)),
    Speaker("Kenji Watanabe", "Researcher", "Quarry Energy", "Asks models what they do not know.", ("ai", "data")),
    Speaker("Farida Haddad", "Security Architect", "Vantage Grid", "Keeps the lights on and the doors shut.", ("security",)),
    Speaker("Oliver Lindqvist", "Community Lead", "Papertrail", "Turned a mailing list into a conference, by accident.", ("community",)),
)  # fmt: skip


class Session(NamedTuple):
    """One item of the programme: on which day, from when, for how long, by which of SPEAKERS."""

    day: int
    hour: int
    minute: int
    minutes: int
    room: str
    title: str
    abstract: str
    speaker: int | None


SESSIONS = (
    Session(0, 9, 0, 45, "River Hall", "Software that outlives its authors", "What the oldest running systems have in common.", 0),
    Session(0, 10, 0, 40, "River Hall", "A platform nobody is forced to use", "Adoption as the only metric.", 1),
    Session(0, 10, 0, 40, "Dock Room", "Timetables are promises", "Streaming data when minutes matter.", 2),
    Session(0, 11, 15, 40, "River Hall", "Exactly once, and other stories", "Money moves twice only in bad dreams.", 3),
    Session(0, 14, 0, 120, "Dock Room", "Workshop: interfaces for cold hands", "Prototype with constraints you can feel.", 4),
    Session(0, 17, 0, 45, "River Hall", "Robots, queues and the shape of work", "Planning when the plan talks back.", 5),
    Session(0, 19, 0, 180, "Quay", "Dinner by the water", "For everybody; the food trucks are included.", None),
    Session(1, 9, 30, 40, "River Hall", "The quietest pager in the hospital", "On-call as a design problem.", 6),
    Session(1, 9, 30, 40, "Dock Room", "Models that say they do not know", "Calibrated answers in production.", 7),
    Session(1, 10, 45, 40, "River Hall", "Shut doors, bright lights", "Defending a power grid with boring tools.", 8),
    Session(1, 13, 30, 120, "Dock Room", "Workshop: a journal for every step", "Build a system that can explain itself.", 3),
    Session(1, 16, 0, 40, "River Hall", "A mailing list grows up", "What communities owe their members.", 9),
    Session(1, 17, 0, 45, "River Hall", "Closing: what we would build again", "Ten lessons and a date for next year.", 0),
)  # fmt: skip

SPONSORS = (
    ("Stratus Yard", "cloud"), ("Brightkiln Cloud", "cloud"), ("Millrace Hosting", "cloud"),
    ("Hammerlight", "developer tools"), ("Gitfen", "developer tools"), ("Bramble CI", "developer tools"), ("Oakline Editors", "developer tools"),
    ("Lanternwatch", "observability"), ("Deep Gauge", "observability"), ("Tracewell", "observability"),
    ("Goodfit Talent", "hiring"), ("Ladder & Kin", "hiring"),
    ("Orchard Bank", "banking"), ("Meridian Pay", "banking"),
    ("Ravelin Foods", "catering"),
)  # fmt: skip

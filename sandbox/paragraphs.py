"""Texts in paragraphs for generated event marketing, per purpose; facts and merge fields as in `words`."""

from collections.abc import Mapping, Sequence

# The opening, the middle and the end of a text in paragraphs.
PARAGRAPHS: Mapping[str, tuple[Sequence[str], Sequence[str], Sequence[str]]] = {
    "": (
        (
            (
                "$name is coming to $city, and we would like you to be there. It is made for $audience who want to learn from "
                "each other rather than listen all day."
            ),
            "$organizer invites you to $name: a programme for $audience, with time for the conversations that matter.",
            (
                "$organizer invites you to $name in $city: a chance to learn from each other, with time for the conversations that "
                "matter."
            ),
            "We are putting together an event for people who want to learn from each other, and we would like you to be there.",
        ),
        (
            "Two things to look forward to: $highlight, and $second. Every session is chosen for what you can use the week after.",
            (
                "Between the sessions there is time to meet the people you have only known from a distance. We keep the groups "
                "small so that questions get answers."
            ),
            (
                "Our speakers share what did not work as openly as what did. Bring the problem you are working on: somebody in "
                "the room has probably been there."
            ),
        ),
        (
            "We meet on {event_date} at {event_time}, {event_venue}. Places are limited, so it helps to decide early.",
            "Places are limited so that conversations stay possible. It helps to decide early.",
        ),
    ),
    "reminder": (
        (
            "You have heard from us about $name. Here is one part of it up close: $highlight.",
            "You have heard from us about this event. Here is what a day there feels like.",
        ),
        (
            (
                "Guests tell us that they come for the programme and remember the people. That is why every break is long enough "
                "for a real conversation, and why nobody has to eat lunch alone."
            ),
            (
                "If you are coming with colleagues, split up: the sessions are planned so that a team can cover more ground "
                "together and compare notes afterwards."
            ),
        ),
        (
            "If {event_date} still works for you, we would be glad to keep a seat.",
            "There are still seats, and we would be glad to keep one for you.",
        ),
    ),
    "last_chance": (
        (
            "Registration for $name closes soon, and only a few seats are left.",
            "Registration closes soon, and only a few seats are left.",
        ),
        (
            (
                "If you have been meaning to come, this is the moment. You would be in a room with $audience, and this is on the programme: $highlight."
            ),
            "If you have been meaning to come, this is the moment. On the programme, among others: $highlight.",
            "If you have been meaning to come, this is the moment. It takes a minute, and we take care of the rest.",
        ),
        (
            "We start on {event_date} at {event_time}. After the last seat is gone we can only offer the waiting list.",
            "After the last seat is gone we can only offer the waiting list.",
        ),
    ),
    "final": (
        (
            "It is nearly time. We look forward to welcoming you to $name in $city.",
            "It is nearly time, and we look forward to welcoming you.",
        ),
        (
            (
                "Doors open before the first session, so come a little early, find your badge and a coffee, and say hello. Your "
                "ticket on your phone is all you need."
            ),
            (
                "Have a look at the programme on the way and pick the two sessions you would regret to miss. Our suggestion: $highlight."
            ),
        ),
        (
            "We begin at {event_time} on {event_date}. The place: {event_venue}.",
            "If anything comes up, simply answer this mail. See you soon.",
        ),
    ),
    "sponsor": (
        (
            "We are preparing $name for $audience, and $sponsor came to mind early: what you do is what they ask us about.",
            "We are preparing an event for people who could be your customers, and your name came up early.",
        ),
        (
            (
                "Instead of a logo wall we offer a part in the programme, introductions to guests chosen together, and a report "
                "that tells you what came of it."
            ),
            "Partners are part of the conversation: a round table, a workshop or a challenge that guests work on with you.",
        ),
        ("If this sounds worth a quarter of an hour, answer this mail and we will find a time.",),
    ),
    "thanks": (
        (
            "Thank you for being part of $name. It was good to have you there.",
            "Thank you for coming. It was good to have you there.",
        ),
        ("Much of what people took home came from the guests, from questions asked and contacts made in the breaks.",),
        ("Two minutes of your opinion would help us make the next one better.",),
    ),
}

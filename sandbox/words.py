"""Phrase banks for generated event marketing: what a careful copywriter might write, per kind of text and purpose.

`$name`, `$city`, `$audience`, `$highlight`, `$second`, `$organizer` and `$sponsor` are facts of the event; braces are
merge fields. A phrase is used only where all its facts are known and all its merge fields are allowed.
"""

from collections.abc import Mapping, Sequence

Bank = Mapping[str, Sequence[str]]

# The purpose of a text, recognised in the names around it; the first that fits wins.
PURPOSES: Mapping[str, str] = {
    "last_chance": r"last.?chance|last.?call",
    "final": r"final|day.?of|logistics",
    "reminder": r"remind|push|second|week.?[12]|follow",
    "sponsor": r"sponsor|proposal|outreach|partner",
    "thanks": r"thank|survey|recap|post.?event",
}

# What kind of text a field wants, recognised in its own name, then in the names around it; the first that fits wins.
KINDS: Mapping[str, str] = {
    "subject": r"subject",
    "preheader": r"pre.?header|preview",
    "meta": r"meta.?desc|seo.?desc|summary|excerpt|description|abstract",
    "subheadline": r"sub.?(head|title)|tagline|deck",
    "headline": r"headline|title|heading|hero|^name$",
    "button": r"cta|button|label|call.?to.?action",
    "linkedin": r"linkedin",
    "twitter": r"twitter|tweet|(^|_)x(_|$)",
    "facebook": r"facebook|instagram",
    "hashtag": r"hashtag|^tags?$|keyword",
    "highlight": r"highlight|bullet|benefit|reasons?_to|takeaway|feature|^points?$",
    "opening": r"opening|hook|intro|^lead$",
    "whatsapp": r"whats.?app|variable|^sms$",
    "rationale": r"rationale|reason|why|explanation|notes?$|justif|comment|match",
    "offer": r"offer|package|value_prop|proposition|ask$|next_step",
    "greeting": r"greeting|salutation",
    "closing": r"sign.?off|signature|^closing$|^outro$",
    "paragraph": r"paragraph|body|text|content|copy|section|post|message|caption",
}

BANKS: Mapping[str, Bank] = {
    "subject": {
        "": (
            "$name: you are invited",
            "Your seat at $name is waiting",
            "$name comes to $city",
            "Meet us at $name in $city",
            "Join us on {event_date} for $name",
            "$name: come and see for yourself",
            "A programme worth your time",
        ),
        "reminder": (
            "Still thinking about $name?",
            "What you would take home from $name",
            "A second look at $name",
            "Three reasons to be at $name",
            "A reminder worth reading",
        ),
        "last_chance": (
            "Last seats for $name",
            "$name: registration closes soon",
            "Your last chance to join us in $city",
            "Registration is about to close",
        ),
        "final": (
            "See you soon at $name",
            "Everything you need for $name",
            "Almost there: your day at $name",
            "Almost there: what to know before you come",
        ),
        "sponsor": (
            "$name and $sponsor: an idea",
            "A place for you at $name",
            "Partnering on $name in $city",
            "An idea for a partnership",
        ),
        "thanks": ("Thank you for being part of $name", "What stays after $name", "Thank you for coming"),
    },
    "preheader": {
        "": (
            "A programme for $audience, and the people you have been meaning to meet.",
            "{event_date} at {event_venue}. See the programme and save your seat.",
            "See what we are putting together in $city, and save your seat.",
            "See the programme, meet the speakers, save your seat.",
        ),
        "reminder": (
            "There is more in the programme than fits in one mail. Here is a part of it.",
            "On the programme: $highlight. Seats are still open.",
        ),
        "last_chance": (
            "A few places are left. After that we start a waiting list.",
            "If you meant to come, this is the moment to say so.",
        ),
        "final": (
            "Where to go, when to arrive and what to bring, all in one place.",
            "Doors open at {event_time}. Here is what to know before you come.",
        ),
        "sponsor": ("A short proposal with the audience, the idea and what it would take.",),
        "thanks": ("Two minutes of your opinion would help us make the next one better.",),
    },
    "headline": {
        "": (
            "$name, made for $audience",
            "Meet the people who build what comes next",
            "$name comes to $city",
            "$name: good questions welcome",
            "Come curious, leave with a plan",
        ),
        "reminder": ("Your seat is still free", "A closer look at $name", "What happens when $city meets $name"),
        "last_chance": ("The last seats are going now", "Now is the moment to decide", "Last call for $name"),
        "final": ("We are looking forward to you", "See you very soon in $city", "Ready when you are"),
        "sponsor": ("Put your name next to the right conversation", "$sponsor at $name"),
        "thanks": ("Thank you for making it matter", "You made $name what it was"),
    },
    "subheadline": {
        "": (
            "For $audience: practical sessions, honest conversations and contacts that last well beyond the day.",
            "On the programme: $highlight. And time for conversations that last well beyond the day.",
            "Practical sessions, honest conversations and contacts that last well beyond the day.",
        )
    },
    "meta": {
        "": (
            "$name brings $audience together in $city for practical sessions and conversations. Save your seat.",
            "$name: practical sessions, honest conversations and contacts that last. Save your seat.",
            "Practical sessions, honest conversations and contacts that last. Save your seat.",
        )
    },
    "button": {
        "": ("Reserve your seat", "Save my seat", "See the programme"),
        "reminder": ("See what is planned", "Save my seat", "Join us"),
        "last_chance": ("Take one of the last seats", "Register now"),
        "final": ("See all details", "Plan my visit"),
        "sponsor": ("Read the proposal", "Find a time to talk"),
        "thanks": ("Tell us what you think",),
    },
    "highlight": {
        "": (
            "Time set aside to meet the people behind the talks",
            "Sessions chosen for what you can use the week after",
            "A room full of $audience",
            "Workshops in small groups, with room for your own questions",
            "Slides and notes to take home to your team",
        )
    },
    "linkedin": {
        "": (
            (
                "Good ideas rarely come from sitting alone with them.\n\n"
                "That is why $organizer is bringing $audience together at $name in $city.\n\n"
                "On the programme: $highlight. And between the sessions there is enough time for the conversations that usually "
                "turn out to be the reason one came.\n\n"
                "If this is the work you do, we would love to have you in the room. Who would you bring along?"
            ),
            (
                "$name is on its way.\n\n"
                "We asked $audience what they miss at other events. The answer was clear: fewer slides, more substance, and "
                "time to talk to each other. So that is what we built.\n\n"
                "One thing to look forward to: $highlight. Beside it, speakers who share what did not work as openly as what did, and a format that leaves room "
                "for questions.\n\n"
                "We meet on {event_date} at {event_venue}. Seats are limited so that conversations stay possible."
            ),
            (
                "$name is on its way to $city.\n\n"
                "One example from the programme: $highlight. What is between the sessions matters as much: time "
                "to compare notes with people who do the same work in different places.\n\n"
                "Come with a question you have carried around for a while. Somebody in the room has probably been there. "
                "Who would you bring along?"
            ),
            (
                "We are opening the doors of $name.\n\n"
                "Expect practical sessions, speakers who share what did not work as openly as what did, and time to meet the "
                "people you have only known from a distance.\n\n"
                "Seats are limited so that conversations stay possible. We would love to have you in the room."
            ),
            (
                "Good ideas rarely come from sitting alone with them.\n\n"
                "So we are bringing people together who do the same work in different places: practical sessions, speakers who "
                "share what did not work as openly as what did, and enough time for the conversations in between.\n\n"
                "We would love to have you in the room. Who would you bring along?"
            ),
        ),
        "reminder": (
            (
                "What makes an event worth a day of your calendar?\n\n"
                "For us it is the moment when somebody says: we had the same problem, and this is how we solved it. $name is "
                "planned around such moments.\n\n"
                "One example from the programme: $highlight. Not a keynote to sit through, but something to take part in.\n\n"
                "There are still seats for $audience. If one of them is yours, now is a good time to take it."
            ),
            (
                "What makes an event worth a day of your calendar?\n\n"
                "For us it is the moment when somebody says: we had the same problem, and this is how we solved it. $name is "
                "planned around such moments.\n\n"
                "There are still seats. If one of them is yours, now is a good time to take it."
            ),
            (
                "What makes an event worth a day of your calendar?\n\n"
                "For us it is the moment when somebody says: we had the same problem, and this is how we solved it. Our programme "
                "is planned around such moments, and there are still seats."
            ),
        ),
    },
    "twitter": {
        "": (
            "$name is coming to $city: $highlight, good people and room for real questions. Join us.",
            "{event_date}, $city: $name. For $audience who would rather talk than watch slides.",
            "$name: practical sessions, good people and room for real questions. Join us.",
            "Practical sessions, good people and room for real questions. Join us.",
        ),
        "reminder": (
            "One thing we look forward to at $name: $highlight. There are still seats.",
            "There are still seats at $name. Bring a question, leave with an answer.",
            "There are still seats. Bring a question, leave with an answer.",
        ),
    },
    "facebook": {
        "": (
            (
                "We have been planning this for a while, and now we can finally share it: $name is coming to $city! On the programme: $highlight. There is plenty of time to meet each other, and a team that looks forward to welcoming you. Whether you come "
                "alone or bring your colleagues, you will not stay a stranger for long. Who would you like to come with?"
            ),
            (
                "We have been planning this for a while, and now we can finally share it: $name is on its way! Expect good talks, "
                "plenty of time to meet each other, and a team that looks forward to welcoming you. Whether you come alone or "
                "bring your colleagues, you will not stay a stranger for long. Who would you like to come with?"
            ),
            (
                "We have been planning this for a while, and now we can finally share it! Expect good talks, plenty of time to meet "
                "each other, and a team that looks forward to welcoming you. Who would you like to come with?"
            ),
        ),
        "reminder": (
            (
                "There are still places at $name, and we would love to see you there. Come for the programme, stay for the people: "
                "that is what guests of earlier events tell us they remember. What would you most like to ask our speakers?"
            ),
        ),
    },
    "opening": {
        "": (
            "We are keeping a seat at $name for you.",
            "$name is coming to $city, and we would love to see you there.",
            "We would love to welcome you as our guest.",
        ),
        "final": (
            "$name is nearly here, and we look forward to welcoming you.",
            "It is nearly time, and we look forward to welcoming you.",
        ),
        "sponsor": ("Your work and our audience belong in the same room.",),
    },
    "whatsapp": {
        "": (
            "As one of our closest contacts you hear it first: $name brings $audience to $city. Shall we save you a place?",
            "As one of our closest contacts you hear it first: $name is coming to $city. Shall we save you a place?",
            "As one of our closest contacts you hear it first, before registration fills up. Shall we save you a place?",
        ),
        "final": (
            "We meet at {event_time} at {event_venue}. Please keep your ticket at hand, and answer here if you need anything.",
            "Please keep your ticket at hand when you arrive, and answer here if you need anything.",
        ),
        "reminder": ("There is still a place for you at $name. Answer here and we will take care of the rest.",),
    },
    "hashtag": {"": ("#$tag", "#$citytag", "#Events", "#Community", "#Networking", "#Learning")},
    "rationale": {
        "": (
            "The text leads with what $audience gain and gives a concrete reason to come: $highlight.",
            "The text leads with what guests gain and leaves facts that can change to merge fields.",
        ),
        "sponsor": (
            "$sponsor already speaks to $audience, the people who come to $name, so the match is direct.",
            "Their audience overlaps with the people who come to $name, so the match is direct.",
            "Their audience overlaps with ours, so the match is direct.",
        ),
    },
    "offer": {
        "": (
            "A place in the programme where your team shares something useful, not an advertisement.",
            "A hosted round table with guests chosen together, and an introduction to each of them.",
            "A short report afterwards: who you met, what they asked, and what to do next.",
        )
    },
    "greeting": {"": ("Hello {first_name},", "Hello,")},
    "closing": {"": ("See you soon, the team of $organizer", "See you soon, your event team")},
}

"""The mails of the other four automations: which there are, what they carry, and that each can be sent."""

import re
from dataclasses import replace

import pytest

from templates import (
    INCLUDES,
    ApprovalFacts,
    DeliverableFacts,
    EmailSlots,
    EventFacts,
    MissingField,
    PersonFacts,
    RenderedEmail,
    SponsorFacts,
    UnfitField,
    email_templates,
    is_marketing,
    prepare_email,
    render_email,
    slots_of,
)
from templates.designs import DESIGNS, missing_event_fields
from templates.letters import letters
from templates.merge import MERGE_FIELDS
from templates.subjects import SUBJECT_FIELDS
from tests.templates.page import Page
from tests.templates.samples import APPROVAL, DELIVERABLE, SPONSOR, WORDS, sample, words_for

# Template, includes in their order, and M where the reader may unsubscribe, U where it looks urgent.
TABLE = {
    "proposal_email": ("", "M"),
    "gentle_reminder": ("", "M"),
    "follow_up": ("", "M"),
    "value_reinforcement": ("", "M"),
    "social_proof": ("testimonials", "M"),
    "last_chance": ("", "MU"),
    "schedule_meeting": ("", ""),
    "declined_thank_you": ("", ""),
    "sponsor_responded": ("", ""),
    "sponsor_accepted": ("", ""),
    "registration_confirmation": ("ticket_details calendar_invite what_to_expect", ""),
    "welcome_preparation": ("preparation_checklist networking_tips", "M"),
    "speaker_highlights": ("top_speakers_by_interest", "M"),
    "detailed_schedule": ("session_recommendations full_schedule parking_info", "M"),
    "logistics_reminder": ("directions parking hotel_info weather", "M"),
    "final_details": ("check_in_process app_download networking_opportunities", "MU"),
    "day_of_welcome": ("live_updates_link today_schedule", "M"),
    "thank_you_survey": ("survey_link photos_link social_share_prompt", "M"),
    "content_recap": ("session_recordings presentation_slides resource_links", "M"),
    "community_invitation": ("community_link next_event_preview early_bird_offer", "M"),
    "event_moved": ("organizer_note", "U"),
    "event_cancelled": ("organizer_note", "U"),
    "event_takes_place": ("", "U"),
    "deliverable_reminder": ("", ""),
    "deliverable_urgent": ("", "U"),
    "deliverable_overdue": ("", "U"),
    "deliverable_overdue_alert": ("", "U"),
    "deliverable_thank_you": ("", ""),
    "deliverable_rejected": ("", "U"),
    "deliverable_review": ("", ""),
    "speaker_thank_you": ("survey_link photo_gallery social_share_cta", "M"),
    "sponsor_thank_you": ("survey_link photo_gallery social_share_cta", "M"),
    "vip_thank_you": ("survey_link photo_gallery social_share_cta", "M"),
    "attendee_thank_you": ("survey_link photo_gallery social_share_cta", "M"),
    "session_recordings": ("video_recordings presentation_slides resource_links", "M"),
    "join_community": ("slack_invite linkedin_group upcoming_meetups", "M"),
    "sponsorship_impact_report": ("metrics_dashboard roi_calculation testimonials", ""),
    "next_event_announcement": ("next_event_preview early_bird_discount referral_program newsletter_signup", "M"),
    "re_engagement": ("community_highlights upcoming_events special_offer", "M"),
    "approval_request": ("", ""),
    "approval_reminder": ("", "U"),
}
LAUNCH = {"announcement_email", "reminder_email", "last_chance_email", "final_reminder", "notification"}
TRACES = ("{", "}", "None", "Undefined", "\ue000", "&amp;amp;")
EVERYTHING = {"sponsor": SPONSOR, "deliverable": DELIVERABLE, "approval": APPROVAL}


def full(template: str, event: EventFacts, person: PersonFacts, **about: object) -> RenderedEmail:
    """The mail with everything there is."""
    return render_email(
        template,
        words_for(template),
        event,
        person,
        includes={name: sample(name) for name in DESIGNS[template].includes},
        **EVERYTHING | about,  # type: ignore[arg-type]
    )


def words_of(text: str) -> set[str]:
    return {word.lower() for word in re.findall(r"\w+", text)}


def barest(template: str, event: EventFacts) -> EventFacts:
    """The event with nothing but what the template cannot do without."""
    needs = missing_event_fields(template, words_for(template), EventFacts())
    return EventFacts(**{need.removeprefix("event."): getattr(event, need.removeprefix("event.")) for need in needs})


def test_these_and_no_others_are_there() -> None:
    assert set(email_templates()) == LAUNCH | set(TABLE)
    assert {
        name: (" ".join(design.includes), ("M" if design.marketing else "") + ("U" if design.urgent else ""))
        for name, design in DESIGNS.items()
        if name not in LAUNCH
    } == TABLE


def test_generated_words_are_taken_where_the_table_says_so_and_nowhere_else() -> None:
    assert {name: takes.__name__ for name in TABLE if (takes := slots_of(name))} == {
        "proposal_email": "ProposalSlots",
        "follow_up": "FollowUpSlots",
        "sponsorship_impact_report": "ImpactReportSlots",
    }


@pytest.mark.parametrize("template", TABLE)
def test_a_mail_with_everything_says_the_same_in_both_parts(
    template: str, event: EventFacts, person: PersonFacts
) -> None:
    mail = full(template, event, person)
    page = Page(mail.html)
    said = " ".join(mail.text.split())
    for part in (mail.subject, page.words, mail.text):
        assert not any(trace in part for trace in TRACES)
    assert all(link and link in mail.text for link in page.links)
    preheader = page.words.partition("\u034f")[0]
    only_text, only_html = words_of(re.sub(r"https?://\S+", "", mail.text)), words_of(page.words)
    assert only_text - only_html <= {"map", "when", "unsubscribe"}
    shown_only = f"{preheader} {DESIGNS[template].eyebrow} Only a few days left Open the map Where May with one click"
    assert only_html - only_text <= words_of(shown_only)
    assert "Hi Maya," in said
    assert event.name in said
    assert "You get this mail because you registered for the summit." in said
    assert "\n\n\n" not in mail.text


@pytest.mark.parametrize("template", TABLE)
def test_a_mail_with_nothing_but_what_it_needs_can_still_be_read(template: str, event: EventFacts) -> None:
    mail = render_email(
        template,
        words_for(template),
        barest(template, event),
        PersonFacts(why="you asked", unsubscribe_url="https://e.example/u"),
        sponsor=SponsorFacts(name="Kestrel"),
        deliverable=DeliverableFacts(name="Logo", due_date=DELIVERABLE.due_date, days_remaining=0),
        approval=ApprovalFacts(summary="1 letter"),
    )
    page = Page(mail.html)
    for part in (mail.subject, page.words, mail.text):
        assert not any(trace in part for trace in TRACES)
    assert all(page.links)
    assert "Hello," in mail.text
    assert "\n\n\n" not in mail.text


@pytest.mark.parametrize("template", TABLE)
def test_only_mail_that_may_be_refused_offers_to_unsubscribe_and_all_say_why_they_come(
    template: str, event: EventFacts, person: PersonFacts
) -> None:
    mail = full(template, event, person)
    offered = person.unsubscribe_url in Page(mail.html).links
    assert offered == (person.unsubscribe_url in mail.text) == is_marketing(template)
    assert ("nsubscribe" in mail.html) == is_marketing(template)
    assert "You get this mail because you registered for the summit." in Page(mail.html).words
    if is_marketing(template):
        assert event.organizer_address in mail.text


@pytest.mark.parametrize("template", TABLE)
def test_every_include_of_a_mail_is_shown_in_its_order(template: str, event: EventFacts, person: PersonFacts) -> None:
    mail = full(template, event, person)
    for part in (Page(mail.html).words, mail.text):
        places = [part.index(f"Open {name}") for name in DESIGNS[template].includes]
        assert places == sorted(places)


@pytest.mark.parametrize("template", TABLE)
def test_everything_missing_is_named_at_once(template: str) -> None:
    words = words_for(template)
    with pytest.raises(MissingField) as refusal:
        render_email(template, words, EventFacts(), PersonFacts())
    named = refusal.value.fields
    assert {"event.name", "person.why"} <= set(named)
    assert ("person.unsubscribe_url" in named) == is_marketing(template)
    fields = set(DESIGNS[template].words(words).needs())
    assert ("sponsor.name" in named) == ("sponsor_name" in fields)
    assert ("deliverable.name" in named) == ("deliverable_name" in fields)


@pytest.mark.parametrize("template", TABLE)
def test_a_mail_stays_compact(template: str, event: EventFacts, person: PersonFacts) -> None:
    assert len(full(template, event, person).html.encode()) < 13_500


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "{{7*7}}", '" onload="x', "\ue000first_name\ue001"])
def test_what_a_sponsor_wrote_is_shown_as_it_is_and_does_nothing(
    hostile: str, event: EventFacts, person: PersonFacts
) -> None:
    tame = Page(full("deliverable_rejected", event, person).html)
    mail = full(
        "deliverable_rejected",
        event,
        person,
        deliverable=replace(DELIVERABLE, name=hostile, rejection_reason=hostile),
    )
    page = Page(mail.html)
    assert page.words.count(" ".join(hostile.split())) >= 4
    assert page.elements == tame.elements


def test_a_letter_carries_only_known_merge_fields_and_addresses() -> None:
    known = {*MERGE_FIELDS, *SUBJECT_FIELDS, "previous_date"}
    for letter in letters().values():
        assert {*letter.parts().fields()} <= known
        assert letter.action in {"", "url", *SUBJECT_FIELDS}
        assert set(letter.includes) <= set(INCLUDES)
        assert bool(letter.action) == bool(letter.cta_label)
        for passage in (*letter.paragraphs, *letter.after):
            assert passage.when.removeprefix("includes.") in {"", *letter.includes, *known}


def test_a_reminder_grows_more_urgent(event: EventFacts, person: PersonFacts) -> None:
    mails = {
        urgency: full("deliverable_reminder", event, person, deliverable=replace(DELIVERABLE, urgency=urgency)).text
        for urgency in ("low", "medium", "high", "critical")
    }
    for urgency, line in (
        ("low", "No hurry yet"),
        ("medium", "The deadline is coming closer"),
        ("high", "Only a few days are left"),
        ("critical", "This is the last moment"),
    ):
        assert [name for name, text in mails.items() if line in text] == [urgency]


@pytest.mark.parametrize(
    ("days", "said"), [(14, "in 14 days"), (1, "tomorrow"), (0, "today"), (-1, "yesterday"), (-4, "4 days ago")]
)
def test_the_time_left_is_said_as_people_say_it(days: int, said: str, event: EventFacts, person: PersonFacts) -> None:
    due = replace(DELIVERABLE, days_remaining=days)
    assert full("deliverable_reminder", event, person, deliverable=due).subject == f"{DELIVERABLE.name}: due {said}"


def test_a_sponsor_without_a_first_name_is_greeted_by_the_contact_we_know(event: EventFacts) -> None:
    nameless = PersonFacts(why="we think you fit", unsubscribe_url="https://e.example/u")
    mail = full("proposal_email", event, nameless)
    assert mail.text.startswith("Hi Jonas Weber,\n")
    assert "Is this for you, Jonas Weber?" in mail.text


def test_a_letter_to_a_sponsor_looks_like_one_and_carries_its_reference(event: EventFacts, person: PersonFacts) -> None:
    page = Page(full("proposal_email", event, person).html)
    assert "h1" not in page.elements
    assert event.tagline not in page.words
    assert "Reference NDS-SP-014" in page.words
    assert SPONSOR.meeting_url in page.links


def test_without_a_link_for_a_meeting_times_are_asked_for_by_reply(event: EventFacts, person: PersonFacts) -> None:
    mail = full("schedule_meeting", event, person, sponsor=replace(SPONSOR, meeting_url=""))
    assert "Answer with two or three times" in mail.text
    assert "Choose a time" not in mail.text


def test_a_moved_event_says_the_old_date_where_it_is_known(event: EventFacts, person: PersonFacts) -> None:
    assert event.starts_at
    moved = replace(event, moved_from=event.starts_at.replace(day=11))
    mail = full("event_moved", moved, person)
    assert mail.subject == "New date: Northwind Data Summit 2027 is on 12–13 May 2027"
    assert "has changed from Tuesday, 11 May 2027 to the one below" in mail.text
    assert "has changed from" not in full("event_moved", event, person).text


def test_words_of_the_wrong_kind_are_refused(event: EventFacts) -> None:
    words = WORDS[EmailSlots]
    with pytest.raises(UnfitField, match="'welcome_preparation' has words of its own and takes no EmailSlots"):
        prepare_email("welcome_preparation", words, event)
    with pytest.raises(UnfitField, match="takes ProposalSlots, not EmailSlots"):
        prepare_email("proposal_email", words, event)
    with pytest.raises(MissingField, match="slots"):
        prepare_email("proposal_email", None, event)

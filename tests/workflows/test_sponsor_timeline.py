"""The owner's table of sponsor outreach, word for word, and what it comes to for people."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from models import moments
from models.automation import Anchors, Progress, Step, StepState
from models.definition import from_definition, to_definition
from models.player import AutomationInput, Bearings, News
from templates import email_templates, slots_of
from workflows.sponsor_knowledge import SequenceKnowledge
from workflows.sponsor_outreach import REACTIONS, SEQUENCE, TIMELINE
from workflows.timeline import Do, Skip

START = datetime(2026, 9, 1, 8, tzinfo=UTC)
EVENT = datetime(2026, 12, 1, 9, tzinfo=UTC)


def written(step: Step) -> tuple[object, ...]:
    """A row of the table: id, moment, actions, condition, late, until, priority."""
    actions = tuple((action.verb, action.template or action.targets) for action in step.actions)
    return step.id, step.moment, actions, step.condition, step.late.value, step.until, step.priority


def test_the_outreach_is_the_owners_three_steps() -> None:
    proposals = tuple(f"proposal_{rank}" for rank in range(1, 11))
    assert [written(step) for step in TIMELINE] == [
        ("find_matches", "0 hours", (("update", ("sponsor_matches",)),), None, "run", None, 3),
        ("generate_proposals", "0 hours after find_matches", (("generate", proposals),), None, "run", None, 3),
        (
            "create_follow_up_sequence",
            "0 hours after generate_proposals",
            (("update", ("follow_up_sequences",)),),
            None,
            "run",
            None,
            3,
        ),
    ]


def test_the_sequence_is_the_owners_table() -> None:
    reminded = "not proposal_opened and not sponsor_accepted"
    followed = "proposal_opened and not sponsor_accepted"
    still = "not sponsor_accepted"
    assert [written(step) for step in SEQUENCE] == [
        ("send_proposal", "0 hours", (("email", "proposal_email"),), None, "send", "event_date", 2),
        ("check_opened", "72 hours", (), "proposal_opened == false", "skip", "send_value_email", 3),
        ("check_responded", "72 hours", (), "sponsor_responded == false", "skip", "send_value_email", 3),
        ("send_gentle_reminder", "72 hours", (("email", "gentle_reminder"),), reminded, "skip", "send_value_email", 3),
        (
            "send_follow_up",
            "72 hours",
            (("generate", ("follow_up",)), ("email", "follow_up")),
            followed,
            "skip",
            "send_value_email",
            3,
        ),
        (
            "send_value_email",
            "168 hours",
            (("email", "value_reinforcement"), ("update", ("mark_warm",))),
            still,
            "skip",
            "send_social_proof",
            3,
        ),
        ("send_social_proof", "336 hours", (("email", "social_proof"),), still, "skip", "send_last_chance", 3),
        ("send_last_chance", "504 hours", (("email", "last_chance"),), still, "skip", "event_date", 3),
    ]
    by_id = {step.id: step for step in SEQUENCE}
    assert by_id["send_proposal"].actions[0].track
    assert by_id["send_last_chance"].actions[0].urgency == "high"
    assert by_id["send_gentle_reminder"].slot == by_id["send_follow_up"].slot
    assert len({step.slot for step in SEQUENCE}) == 7


def test_the_reactions_are_the_owners() -> None:
    told = {
        one.fact: ([(action.verb, action.template or action.targets) for step in one.steps for action in step.actions], one.ends)
        for one in REACTIONS
    }  # fmt: skip
    assert told == {
        "sponsor_responded": (
            [("update", ("mark_hot",)), ("email", "schedule_meeting"), ("email", "sponsor_responded")],
            True,
        ),
        "sponsor_declined": ([("update", ("mark_declined",)), ("email", "declined_thank_you")], True),
        "sponsor_accepted": ([("update", ("mark_accepted",)), ("email", "sponsor_accepted")], False),
        "sponsor_signed": ([("update", ("sponsorship",))], True),
    }


def test_every_mail_has_its_template_and_what_the_model_writes_has_its_slots() -> None:
    steps = (*SEQUENCE, *(step for reaction in REACTIONS for step in reaction.steps))
    mails = {action.template for step in steps for action in step.actions if action.verb == "email"}
    assert mails <= set(email_templates())
    assert {mail for mail in mails if mail and slots_of(mail) is not None} == {"proposal_email", "follow_up"}


@pytest.mark.parametrize("timeline", [TIMELINE, SEQUENCE])
def test_the_stored_form_gives_back_the_same_steps(timeline: tuple[Step, ...]) -> None:
    assert from_definition(to_definition(timeline)) == timeline


# -- what it comes to -----------------------------------------------------------------------------------------------


def sequence() -> SequenceKnowledge:
    about = AutomationInput(
        automation_id=uuid4(),
        event_id=uuid4(),
        subject_id=uuid4(),
        workflow_type="sponsor_outreach",
        steps=SEQUENCE,
        rehearsal=True,
    )
    return SequenceKnowledge(about)


def lived(
    news: Collection[News] = (),
    *,
    event: datetime = EVENT,
    from_: timedelta = timedelta(),
    every: timedelta | None = None,
) -> dict[str, tuple[int, str]]:
    """What became of each step: on which day after the start, and what; `from_` and `every` are when the player can look."""
    knows, became = sequence(), dict[str, tuple[int, str]]()
    waiting = sorted(news, key=lambda one: one.at)
    now = START + from_
    while now <= event + timedelta(days=30):
        while waiting and waiting[0].at <= now:
            knows.hear(waiting.pop(0))
        anchors = Anchors(start=START, zone="Europe/Berlin", event_date=event, event_end=event)
        instants = moments.resolve_all(SEQUENCE, anchors, {})
        knows.adopt(Bearings(anchors=anchors, instants=instants, now=now, status="active"), knows.resumes, now)
        for decision in knows.plan(now).decisions:
            state = StepState.SUCCESS if isinstance(decision, Do) else StepState.SKIPPED
            reason = decision.reason if isinstance(decision, Skip) else "done"
            knows.learn(decision.step_id, Progress(state=state, round=0, due=decision.due, ended=now))
            became[decision.step_id] = ((now - START).days, reason)
        now += every or timedelta(hours=1)
    return became


def day(number: float, kind: str, **data: str) -> News:
    return News(kind=kind, at=START + timedelta(days=number), data=dict(data))


def done(became: dict[str, tuple[int, str]]) -> dict[str, int]:
    return {id_: on for id_, (on, what) in became.items() if what == "done"}


def test_nobody_opens_and_nobody_answers() -> None:
    assert done(lived()) == {
        "send_proposal": 0,
        "check_opened": 3,
        "check_responded": 3,
        "send_gentle_reminder": 3,
        "send_value_email": 7,
        "send_social_proof": 14,
        "send_last_chance": 21,
    }


def test_opened_and_not_answered_gets_the_follow_up_instead_of_the_reminder() -> None:
    became = lived([day(1, "proposal_opened")])
    assert done(became)["send_follow_up"] == 3
    assert became["send_gentle_reminder"] == (3, "the condition does not hold: not proposal_opened")
    assert became["check_opened"] == (3, "the condition does not hold: not proposal_opened")


def test_opened_after_the_reminder_changes_nothing_any_more() -> None:
    became = lived([day(4, "proposal_opened")])
    assert "send_follow_up" not in done(became)
    assert done(became)["send_gentle_reminder"] == 3


def test_who_has_accepted_gets_nothing_more_while_the_contract_is_made() -> None:
    assert set(done(lived([day(2, "sponsor_accepted")]))) == {"send_proposal", "check_opened", "check_responded"}


def test_nothing_goes_out_once_the_event_has_begun() -> None:
    became = lived(event=START + timedelta(days=10))
    assert set(done(became)) == {
        "send_proposal", "check_opened", "check_responded", "send_gentle_reminder", "send_value_email"
    }  # fmt: skip


def test_two_days_without_a_worker_skip_what_fell_due_and_nothing_else() -> None:
    became = lived(from_=timedelta(days=5), every=timedelta(hours=1))
    assert done(became) == {"send_proposal": 5, "send_value_email": 7, "send_social_proof": 14, "send_last_chance": 21}
    assert became["send_gentle_reminder"] == (5, "late by 2 days")


def test_the_next_step_waits_for_somebody_who_is_away_and_the_others_stay_where_they_were() -> None:
    became = done(lived([day(1, "out_of_office", until=(START + timedelta(days=5)).isoformat())]))
    assert became == {
        "send_proposal": 0,
        "check_opened": 5,
        "check_responded": 5,
        "send_gentle_reminder": 5,
        "send_value_email": 7,
        "send_social_proof": 14,
        "send_last_chance": 21,
    }


def test_who_is_away_for_long_gets_one_mail_on_return_and_not_all_of_them() -> None:
    became = lived([day(1, "out_of_office", until=(START + timedelta(days=16)).isoformat())])
    assert done(became) == {"send_proposal": 0, "send_social_proof": 16, "send_last_chance": 21}
    assert became["send_value_email"] == (16, "overtaken by send_social_proof")


def test_who_is_away_until_the_event_gets_nothing() -> None:
    became = done(lived([day(1, "out_of_office", until=EVENT.isoformat())]))
    assert became == {"send_proposal": 0}


def test_of_several_absences_the_longest_counts_in_any_order() -> None:
    long, short = (
        day(1, "out_of_office", until=(START + timedelta(days=until)).isoformat()) for until in (6, 4)
    )  # fmt: skip
    assert lived([long, short]) == lived([short, long]) == lived([long])


def test_an_absence_that_names_no_date_changes_nothing() -> None:
    assert lived([day(1, "out_of_office")]) == lived()

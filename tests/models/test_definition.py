"""The stored form: what the specification writes is read, what is written reads the same, errors name every place."""

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.automation import Action, Late, Step
from models.definition import accept, from_definition, title, to_definition
from models.problems import DefinitionError, Known

SPONSOR: list[dict[str, Any]] = [
    {"id": "send_proposal", "delay_hours": 0, "type": "email", "template": "proposal_email", "track": True},
    {
        "id": "check_opened",
        "delay_hours": 72,
        "type": "condition",
        "condition": "proposal_opened == false",
        "if_true": "send_gentle_reminder",
        "if_false": "check_responded",
    },
    {"id": "send_gentle_reminder", "type": "email", "template": "gentle_reminder", "next": "wait_week_1"},
    {
        "id": "check_responded",
        "type": "condition",
        "condition": "proposal_responded == false",
        "if_true": "send_value_email",
        "if_false": "mark_hot",
    },
    {"id": "send_value_email", "delay_hours": 168, "type": "email", "template": "value_reinforcement"},
    {"id": "send_last_chance", "delay_hours": 504, "type": "email", "template": "last_chance", "urgency": "high"},
]

ids = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
names = st.lists(ids | st.sampled_from(["generate_x", "create_create_y"]), max_size=3).map(tuple)
actions = st.builds(
    Action,
    verb=st.sampled_from(["email", "whatsapp", "social", "generate", "notify", "update", "call"]),
    template=st.none() | ids,
    audience=st.none() | ids,
    targets=names,
    include=names,
    segments=st.dictionaries(ids, ids, max_size=2),
    urgency=st.sampled_from([None, "low", "medium", "high", "critical"]),
    track=st.booleans(),
    optimal_time=st.booleans(),
)
steps = st.builds(
    Step,
    id=ids,
    name=words,
    moment=words,
    actions=st.lists(actions, max_size=3).map(tuple),
    condition=st.none() | words,
    late=st.sampled_from(Late),
    grace=st.integers(0, 10**7).map(lambda seconds: timedelta(seconds=seconds)),
    until=st.none() | words,
    branch=st.none() | ids,
    priority=st.sampled_from([1, 2, 3]),
    topic=st.none() | words,
)


def problems(definition: object, known: Known | None = None) -> dict[str, str]:
    with pytest.raises(DefinitionError) as error:
        accept(definition, known)
    return {problem.path: problem.reason for problem in error.value.problems}


def one(**keys: Any) -> Step:
    return from_definition({"steps": [{"id": "only", **keys}]})[0]


@given(st.lists(steps, min_size=1, max_size=4))
def test_what_is_written_reads_exactly_the_same_also_by_way_of_json(timeline: list[Step]) -> None:
    assert from_definition(json.loads(json.dumps(to_definition(timeline)))) == tuple(timeline)


def test_actions_alike_are_written_in_the_specifications_way() -> None:
    both = tuple(Action(verb=verb, template="final_reminder", audience="all") for verb in ("email", "whatsapp"))
    stored = to_definition([Step(id="final_reminder", name="Final reminder", moment="7 days", actions=both)])
    assert stored == {
        "version": 1,
        "steps": [
            {
                "id": "final_reminder",
                "name": "Final reminder",
                "delay": "7 days",
                "type": "email + whatsapp",
                "template": "final_reminder",
                "audience": "all",
                "late": "send",
                "priority": 3,
            }
        ],
    }


def test_the_specifications_event_launch_is_read() -> None:
    launch = from_definition(
        {
            "steps": [
                {
                    "name": "generate_marketing_content",
                    "type": "ai_generation",
                    "parallel": True,
                    "actions": ["generate_landing_page_copy", "generate_social_posts"],
                    "output": "marketing_campaign_id",
                },
                {
                    "name": "create_campaign_records",
                    "type": "database",
                    "wait_for": "generate_marketing_content",
                    "actions": ["create_marketing_campaign"],
                },
                {
                    "name": "post_social_media",
                    "type": "social",
                    "wait_for": "create_campaign_records",
                    "delay": "1 hour",
                    "platforms": ["linkedin", "twitter"],
                    "schedule": "optimal_time",
                },
                {
                    "name": "send_whatsapp_broadcast",
                    "type": "whatsapp",
                    "wait_for": "post_social_media",
                    "delay": "2 hours",
                    "audience": "vip_contacts",
                    "track_responses": True,
                },
                {
                    "name": "final_reminder",
                    "type": "email + whatsapp",
                    "delay": "event_date - 1 day",
                    "audience": "registered_attendees",
                    "include_details": True,
                },
            ]
        }
    )
    assert [(step.id, step.name, step.moment) for step in launch] == [
        ("generate_marketing_content", "Generate marketing content", "0 hours"),
        ("create_campaign_records", "Create campaign records", "0 hours after generate_marketing_content"),
        ("post_social_media", "Post social media", "1 hour after create_campaign_records"),
        ("send_whatsapp_broadcast", "Send whatsapp broadcast", "2 hours after post_social_media"),
        ("final_reminder", "Final reminder", "event_date - 1 day"),
    ]
    details: dict[str, Any] = {
        "template": "final_reminder",
        "audience": "registered_attendees",
        "include": ("details",),
    }
    assert [step.actions for step in launch] == [
        (Action(verb="generate", targets=("landing_page_copy", "social_posts")),),
        (Action(verb="update", targets=("marketing_campaign",)),),
        (Action(verb="social", targets=("linkedin", "twitter"), optimal_time=True),),
        (Action(verb="whatsapp", template="send_whatsapp_broadcast", audience="vip_contacts", track=True),),
        (Action(verb="email", **details), Action(verb="whatsapp", **details)),
    ]


def test_the_specifications_definitions_by_name_are_read() -> None:
    nurture = from_definition(
        {
            "welcome": {
                "delay_hours": 168,
                "template": "welcome_preparation",
                "personalize": True,
                "include": ["tips"],
            },
            "speakers": {"delay_hours": 336, "template": "s", "dynamic_content": "top_speakers_by_interest"},
            "day_of_welcome": {"delay": "event_date at 07:00", "channels": ["email", "whatsapp"], "template": "day"},
            "thanks": {"delay_hours": 24, "channels": ["email"], "segments": {"speakers": "speaker_thank_you"}},
            "results": {"delay_hours": 336, "channels": ["email"], "template": "report", "generate_ai": True},
        }
    )
    assert [step.moment for step in nurture] == [
        "168 hours",
        "336 hours",
        "event_date at 07:00",
        "24 hours",
        "336 hours",
    ]
    assert [step.actions for step in nurture] == [
        (Action(verb="email", template="welcome_preparation", include=("tips",)),),
        (Action(verb="email", template="s", include=("top_speakers_by_interest",)),),
        (Action(verb="email", template="day"), Action(verb="whatsapp", template="day")),
        (Action(verb="email", segments={"speakers": "speaker_thank_you"}),),
        (Action(verb="generate", targets=("report",)), Action(verb="email", template="report")),
    ]


def test_the_specifications_branches_become_moments_and_conditions_of_the_steps_they_lead_to() -> None:
    known = [{key: said for key, said in step.items() if said not in ("wait_week_1", "mark_hot")} for step in SPONSOR]
    read = accept({"steps": known})
    assert [(step.id, step.moment, step.condition, step.branch) for step in read] == [
        ("send_proposal", "0 hours", None, None),
        ("check_opened", "72 hours", "proposal_opened == false", None),
        ("send_gentle_reminder", "0 hours after check_opened", "not proposal_opened", "check_opened_branch"),
        (
            "check_responded",
            "0 hours after check_opened",
            "proposal_opened and proposal_responded == false",
            "check_opened_branch",
        ),
        ("send_value_email", "168 hours", "proposal_opened and not proposal_responded", None),
        ("send_last_chance", "504 hours", None, None),
    ]


def test_a_branch_into_nowhere_or_backwards_is_named() -> None:
    back = {"id": "again", "type": "condition", "delay": "9 days", "condition": "x", "if_true": "send_proposal"}
    assert problems({"steps": [*SPONSOR, back]}) == {
        "steps[2].next": "there is no step 'wait_week_1'",
        "steps[3].if_false": "there is no step 'mark_hot'",
        "steps[6].if_true": "'send_proposal' does not come behind this step; branches go forward only",
    }


def test_a_step_that_several_lead_to_says_itself_when_and_why() -> None:
    fork = {"type": "condition", "condition": "x", "if_true": "end"}
    told = problems(
        {"steps": [{"id": "a", **fork}, {"id": "b", "delay": "1 day", **fork}, {"id": "end", "type": "email"}]}
    )
    assert told["steps[2].delay"] == "a and b all lead here; say when by a delay"
    assert told["steps[2].condition"] == "a and b all lead here; give the step one condition of its own instead"


def test_a_branch_needs_a_condition_whose_opposite_can_be_said() -> None:
    fork = {"id": "a", "type": "condition", "condition": "x and y", "if_false": "b"}
    assert problems({"steps": [fork, {"id": "b", "type": "email"}]})["steps[0].if_false"].startswith("the opposite")
    fork = {"id": "a", "type": "email", "if_true": "b"}
    assert problems({"steps": [fork, {"id": "b", "type": "email"}]})["steps[0].condition"].startswith("if_true")


def test_a_step_without_a_moment_is_refused_and_never_taken_for_now() -> None:
    assert problems({"steps": [{"id": "a", "type": "email"}, {"id": "b", "type": "email"}]}) == {
        "steps[1].delay": "say when, by delay, delay_hours or wait_for"
    }
    assert "steps[0].delay" in problems({"steps": [{"id": "a", "type": "email", "delay": ""}]})


def test_config_holds_keys_of_the_step_but_does_not_contradict_it() -> None:
    assert one(type="email", delay="1 day", config={"template": "x"}).actions[0].template == "x"
    assert problems({"steps": [{"id": "a", "type": "email", "config": {"type": "social"}}]}) == {
        "steps[0].config.type": "'type' is said twice, here and in the step itself"
    }


def test_recipients_priorities_and_graces_are_read_in_words() -> None:
    alert = one(
        type="notification", template="late", recipient=["organizer", "sponsor"], priority="high", grace="2 days"
    )
    assert alert.actions == (Action(verb="notify", template="late", targets=("organizer", "sponsor")),)
    assert (alert.priority, alert.grace) == (1, timedelta(days=2))
    assert one(type="email", recipient="sponsor", urgency="critical").priority == 1
    assert one(type="email", recipient="sponsor", urgency="low").priority == 2
    assert one(type="email", recipient="sponsor").actions[0].audience == "sponsor"


def test_every_problem_is_named_at_once_with_its_place() -> None:
    told = problems(
        {
            "version": 2,
            "steps": [
                {"id": "First", "type": "email", "template": "x"},
                {"id": "b", "type": "sms", "delay": 3, "tempalte": "x", "urgency": "extreme"},
                "c",
                {"id": "d", "type": "social", "platforms": ["myspace"], "delay": "1 day after nobody", "until": "d"},
                {"id": "e", "type": "email", "audience": "all_contact", "delay": "7 dayz", "condition": "x or y"},
                {"id": "event_date", "type": "notification", "template": "e", "recipient": "all", "delay_hours": 1.5},
                {"id": "g", "type": "email", "delay": "1 day", "delay_hours": 24, "until": "12 hours", "grace": "soon"},
                {"id": "h", "delay": "1 day", "until": "event_day", "actions": [{"type": "email", "to": "x"}, 4]},
                {"id": "h", "wait_for": "b", "delay": "event_date - 1 day", "type": "database"},
                {"id": "j", "delay": "1 day", "type": "email", "recipient": ["organizer", "sponsor"], "branch": "e"},
                {"id": "k", "delay": "1 day", "condition": "x", "branch": "lonely"},
            ],
        },
        Known(
            templates={"email": ["x", "e", "g", "h", "j"]},
            audiences=["all_contacts", "organizer"],
            includes=(),
            targets={"notify": ["all"]},
            has_subject=True,
        ),
    )
    said = {
        "version": "only version 1 can be read, not 2",
        "steps[0].id": "begins with a small letter",
        "steps[1].type": "'sms' is none of",
        "steps[1].delay": "valid string",
        "steps[1].tempalte": "did you mean 'template'?",
        "steps[1].urgency": "'low', 'medium', 'high' or 'critical'",
        "steps[2]": "an object",
        "steps[3].platforms": "there is no platform 'myspace'; there are facebook, linkedin and twitter",
        "steps[3].delay": "there is no step 'nobody'",
        "steps[3].until": "by itself",
        "steps[4].audience": "did you mean 'all_contacts'?",
        "steps[4].delay": "did you mean 'days'?",
        "steps[4].condition": "only 'and'",
        "steps[5].id": "a word of moments",
        "steps[5].recipient": "there are organizer and sponsor",
        "steps[5].delay_hours": "integer",
        "steps[6].delay_hours": "say it once",
        "steps[6].until": "always be skipped",
        "steps[6].grace": "a moment begins with",
        "steps[7].until": "neither the id of a step",
        "steps[7].actions[0].to": "no such key",
        "steps[7].actions[1]": "an object",
        "steps[7].id": "used 2 times",
        "steps[8].id": "used 2 times",
        "steps[8].wait_for": "a plain delay",
        "steps[8].delay": "is not understood here",
        "steps[8].actions": "at least one",
        "steps[9].recipient": "only a notification goes to several",
        "steps[9].branch": "the id of a step",
        "steps[10].branch": "no other step",
    }
    assert told.keys() == said.keys()
    for path, reason in said.items():
        assert reason in told[path], path


def test_steps_that_wait_for_each_other_are_named_once() -> None:
    circle = [{"id": a, "type": "email", "wait_for": b} for a, b in ("ab", "bc", "ca", "da")]
    assert problems({"steps": circle}) == {
        "steps[0].delay": "a waits for b waits for c waits for a, so none of them would ever begin"
    }


@pytest.mark.parametrize(
    ("delay", "until", "fine"),
    [
        ("7 days", "6 days", False),
        ("7 days", "168 hours", False),
        ("7 days", "8 days", True),
        ("event_date at 07:00", "event_date", True),
        ("event_date + 1 day", "event_date at 23:59", False),
        ("event_end + 1 day", "event_date", False),
        ("event_date", "event_end", True),
        ("7 days", "event_date - 30 days", True),
        ("2 hours after zero", "1 hour after zero", False),
        ("2 hours after zero", "zero", True),
    ],
)
def test_an_until_that_never_comes_after_its_step_is_refused(delay: str, until: str, *, fine: bool) -> None:
    zero = {"id": "zero", "type": "email", "delay": "0 hours"}
    definition = {"steps": [zero, {"id": "a", "type": "email", "delay": delay, "until": until}]}
    if fine:
        assert accept(definition)
    else:
        assert "always be skipped" in problems(definition)["steps[1].until"]


@pytest.mark.parametrize("nothing", [None, [], {}, "x", 3, {"steps": 3}, {"steps": []}, {"steps": {}}, {"version": 1}])
def test_what_is_no_timeline_is_refused_in_plain_words(nothing: object) -> None:
    assert problems(nothing)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(
    [*SPONSOR[0], *SPONSOR[1], "actions", "config", "recipient", "grace", "until", "segments", "priority"]
)
valid = st.sampled_from(["email", "condition", "a", "b", "1 day", "x == true", 3])


@given(st.lists(st.dictionaries(keys, json_values | valid, max_size=6) | json_values, max_size=4) | json_values)
def test_whatever_is_handed_in_is_accepted_or_refused_with_problems(steps: object) -> None:
    with suppress(DefinitionError):
        assert accept({"version": 1, "steps": steps})


def test_a_step_without_a_name_is_called_by_its_id_in_words() -> None:
    assert one(type="email").name == title("only") == "Only"
    assert title("send_announcement") == "Send announcement"

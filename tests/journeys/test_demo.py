"""A whole event as a person sees it: `eventos demo`, in a process of its own."""

import asyncio
import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dev.sandbox import ROOT

LISBON = ZoneInfo("Europe/Lisbon")

COVERED = ("thank_you_survey", "content_recap", "community_next_event")
"""Touches that the follow-up takes over."""
ANSWERED = ("Stratus Yard", "Lanternwatch", "Hammerlight", "Orchard Bank")
STEPS = [
    "generate_marketing_content",
    "create_campaign_records",
    "send_announcement",
    "post_social_media",
    "send_whatsapp_broadcast",
    "week_1_reminder",
    "week_2_social",
    "last_chance_email",
    "final_reminder",
]


async def demo(report: Path, *options: str) -> tuple[int, str, dict[str, Any]]:
    """Run the demo; its exit status, what it printed, and its report."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "demo", "--report", str(report), *options),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), json.loads(report.read_text()) if report.exists() else {}


def assert_every_step_at_its_moment(launch: dict[str, Any]) -> None:
    """The nine steps of the specification, each due when its phrase says."""
    due = {step["name"]: datetime.fromisoformat(step["due_at"]) for step in launch["steps"]}
    assert list(due) == STEPS
    start = due["generate_marketing_content"]
    event_date = due["final_reminder"].astimezone(LISBON) + timedelta(days=1)
    # It was to be a Thursday, and was moved by a day.
    assert (event_date.weekday(), event_date.hour, event_date.minute) == (4, 9, 0)
    assert due["create_campaign_records"] == start
    assert due["send_announcement"] == start
    assert due["post_social_media"] == start + timedelta(hours=1)
    # The posts wait for their platforms' good slots, so the broadcast counts from the last of them.
    assert due["send_whatsapp_broadcast"] >= start + timedelta(hours=3)
    assert due["week_1_reminder"].astimezone(LISBON) == start.astimezone(LISBON) + timedelta(days=7)
    assert due["week_2_social"].astimezone(LISBON) == start.astimezone(LISBON) + timedelta(days=14)
    assert due["last_chance_email"].astimezone(LISBON) == event_date - timedelta(days=3)


def of_event(report: dict[str, Any], kind: str) -> dict[str, Any]:
    """The one automation of a kind that is about the event itself."""
    [found] = [one for one in report["automations"] if one["type"] == kind and one["subject"].startswith("event/")]
    return dict(found)


def of_many(report: dict[str, Any], about: str) -> list[dict[str, Any]]:
    """The automations that are each about a proposal, a registration, a deliverable."""
    return [one for one in report["automations"] if one["subject"].startswith(f"{about}/")]


def count(automations: list[dict[str, Any]], step: str, status: str = "success") -> int:
    """How often a step ended so."""
    return sum(one["name"] == step and one["status"] == status for each in automations for one in each["steps"])


def assert_the_launch_was_whole(report: dict[str, Any]) -> None:
    launch = of_event(report, "event_launch")
    assert launch["status"] == "completed"
    assert launch["steps_completed"] == launch["steps_total"] == 9
    assert_every_step_at_its_moment(launch)
    assert {step["status"] for step in launch["steps"]} == {"success"}


def assert_sponsors_were_won_and_lost(report: dict[str, Any]) -> None:
    """Two sign, one of them after a holiday; one wants to talk, through a colleague; one declines; the others never answer."""
    assert of_event(report, "sponsor_outreach")["status"] == "completed"
    became = report["sponsors"]
    assert len(became) == 10
    assert became["Stratus Yard"] == became["Lanternwatch"] == "signed"
    assert became["Hammerlight"] == "responded"
    assert became["Orchard Bank"] == "declined"
    assert {status for name, status in became.items() if name not in ANSWERED} == {"active"}
    sequences = of_many(report, "proposal")
    assert {one["status"] for one in sequences} == {"completed"}
    assert count(sequences, "send_proposal") == 10
    assert count(sequences, "schedule_meeting") == count(sequences, "mark_hot") == 2
    assert count(sequences, "thank_for_answer") == count(sequences, "mark_accepted") == 1
    # One of the seven who had not answered by then had opened; the one on holiday was written to when back.
    assert (count(sequences, "send_follow_up"), count(sequences, "send_gentle_reminder")) == (1, 6)
    assert count(sequences, "send_last_chance") == 6


def assert_what_was_owed_came(report: dict[str, Any]) -> None:
    """Nine things in time, of which one was sent back once, and one two days late, after an alert."""
    owed = report["deliverables"]
    assert len(owed) == len(of_many(report, "deliverable")) == 10
    assert {row["status"] for row in owed} <= {"approved", "submitted"}
    trackers = of_many(report, "deliverable")
    assert {one["status"] for one in trackers} == {"completed"}
    assert count(trackers, "explain_rejection") == count(trackers, "send_overdue_alert") == 1
    assert count(trackers, "thank_for_submission") == 11
    [late] = [row for row in owed if (row["sponsor"], row["name"]) == ("Lanternwatch", "Payment")]
    assert late["reminders_sent"] >= 3


def touches(attendee: dict[str, Any]) -> dict[str, str]:
    """What became of each touch, in the last round it came to: its state, and why it was skipped."""
    return {step["name"]: ": ".join(filter(None, [step["status"], step.get("reason")])) for step in attendee["steps"]}


def assert_everybody_was_accompanied_from_where_they_came_in(report: dict[str, Any]) -> None:
    """Eighty were registered when the event was published; others came each week, at the end, and at the door."""
    attendees = of_many(report, "registration")
    began: dict[str, list[dict[str, str]]] = {}
    for one in attendees:
        confirmed = min(step["due_at"] for step in one["steps"] if step["name"] == "registration_confirmation")
        began.setdefault(confirmed, []).append(touches(one))
    whole, *weeks, two_days_before, at_the_door = (began[at] for at in sorted(began))
    assert (len(whole), [len(week) for week in weeks]) == (80, [6, 6, 1, 6, 6, 8])
    assert (len(two_days_before), len(at_the_door)) == (5, 2)

    full = [one for one in whole if one["day_of_welcome"] == "success"]
    assert len(full) > 70
    for one in full:
        assert {state for name, state in one.items() if name not in COVERED} == {"success"}

    # Two days before: the confirmation, the latest of what has passed, and what still comes.
    for one in two_days_before:
        assert one["detailed_schedule"] == "skipped: overtaken by logistics_reminder"
        assert one["registration_confirmation"] == one["final_details"] == one["day_of_welcome"] == "success"
        # Whoever takes no marketing gets what a guest has to know, and no more.
        assert one["logistics_reminder"] in ("success", "skipped: no consent to email")
    for one in at_the_door:
        assert one["registration_confirmation"] == one["day_of_welcome"] == "success"
        assert one["final_details"].startswith("skipped: overtaken")

    # Who cancelled and came back is not told twice what was said before.
    [gone] = [one for one in attendees if one["status"] == "cancelled"]
    assert touches(gone)["detailed_schedule"] == "skipped: the registration was cancelled"
    [back] = [one for one in attendees if one["subject"] == gone["subject"] and one is not gone]
    assert touches(back)["registration_confirmation"].startswith("skipped: everybody in the audience was written to")
    assert touches(back)["final_details"] == "success"


def assert_the_follow_up_reached_those_it_concerned(report: dict[str, Any]) -> None:
    followup = of_event(report, "post_event_followup")
    sent = {step["name"]: step["sent"] for step in followup["steps"]}
    assert {step["status"] for step in followup["steps"]} == {"success"}
    # Who was not there is not thanked for coming, but gets the recordings; who clicked is not asked back.
    assert sent["thank_you_survey"] < sent["content_delivery"]
    assert sent["re_engagement"] < sent["content_delivery"]
    assert sent["sponsor_results"] == 2


def assert_the_event_was_whole(status: int, said: str, report: dict[str, Any]) -> None:
    assert status == 0, said
    assert report["unexplained"] == []
    assert_the_launch_was_whole(report)
    assert_sponsors_were_won_and_lost(report)
    assert_what_was_owed_came(report)
    assert_everybody_was_accompanied_from_where_they_came_in(report)
    assert_the_follow_up_reached_those_it_concerned(report)
    for automation in report["automations"]:
        for step in automation["steps"]:
            # Those who are not even queued, having no address or being nobody, are among the skipped.
            reached = step["sent"] + step["failed"] + step["unknown"] + sum(step["skipped"].values())
            assert step["queued"] <= reached, step
    assert report["messages"]["duplicates"] == 0
    assert report["messages"]["lost"] == 0
    assert report["messages"]["accepted"] > 2200


@pytest.mark.timeout(600)
async def test_a_whole_event_is_lived_and_nothing_is_sent_twice_or_lost_or_left_unexplained(tmp_path: Path) -> None:
    status, said, report = await demo(tmp_path / "report.json")
    assert_the_event_was_whole(status, said, report)
    assert report["messages"]["unknown"] == 0


@pytest.mark.timeout(1200)
async def test_so_it_is_with_a_tenth_of_all_answers_faulty_and_with_the_worker_killed_five_times(
    tmp_path: Path,
) -> None:
    """The two live side by side, each on servers of its own: for most of the time they wait for providers and leases."""
    faulty, killed = await asyncio.gather(
        demo(tmp_path / "faulty.json", "--faults", "0.1"), demo(tmp_path / "killed.json", "--kills", "5")
    )
    assert_the_event_was_whole(*killed)
    assert_the_event_was_whole(*faulty)

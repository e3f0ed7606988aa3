"""Posts: filled, linked, within the platform's limit."""

from dataclasses import replace

import pytest

from templates import EventFacts, MissingField, SocialPosts, UnfitField, UnknownTemplate, render_social

POSTS = SocialPosts(
    linkedin="{event_name} comes to {event_city}.\n\nWho is in?",
    twitter="{event_name}, {event_date}.",
    facebook="Meet us at {event_venue}.",
    linkedin_push="Still seats at {event_name}.",
    twitter_push="Seats left, from {event_price}.",
)


@pytest.mark.parametrize("platform", SocialPosts.model_fields)
def test_a_post_is_filled_and_ends_with_the_link(platform: str, event: EventFacts) -> None:
    post = render_social(platform, POSTS, event)
    assert "{" not in post
    assert post.endswith(f"\n{event.url}")


def test_paragraphs_of_a_post_are_kept(event: EventFacts) -> None:
    assert render_social("linkedin", POSTS, event) == (
        "Northwind Data Summit 2027 comes to Berlin.\n\nWho is in?\n\nhttps://northwind.example/summit"
    )


def test_a_post_that_outgrows_x_once_filled_is_refused(event: EventFacts) -> None:
    with pytest.raises(UnfitField, match=r"slots\.twitter has \d+ characters.*twitter has room for 280"):
        render_social("twitter", POSTS, replace(event, name="Summit " * 40))


def test_everything_missing_is_named_at_once() -> None:
    with pytest.raises(MissingField) as refusal:
        render_social("twitter", POSTS, EventFacts())
    assert refusal.value.fields == ("event.name", "event.starts_at", "event.timezone", "event.url")


def test_an_unknown_platform_is_refused(event: EventFacts) -> None:
    with pytest.raises(UnknownTemplate, match="'myspace'"):
        render_social("myspace", POSTS, event)

"""Posts: the generated words with their merge fields filled and the event's link below."""

from templates.errors import MissingField, UnfitField, UnknownTemplate
from templates.facts import EventFacts
from templates.merge import facts_behind, fill, merge_fields
from templates.slots import FACEBOOK_LIMIT, LINKEDIN_LIMIT, X_LIMIT, X_LINK, SocialSlots, x_length
from templates.words import event_words, merge_values

LIMITS = {"linkedin": LINKEDIN_LIMIT, "twitter": X_LIMIT, "facebook": FACEBOOK_LIMIT}


def render_social(platform: str, slots: SocialSlots, event: EventFacts) -> str:
    """The post as it is published; `linkedin_push` and `twitter_push` are those of the second push.

    Raises MissingField naming every absent fact, UnfitField where the filled text is too long for the platform.
    """
    if platform not in type(slots).model_fields:
        raise UnknownTemplate.among(platform, type(slots).model_fields)
    text, link = getattr(slots, platform), event.url or event.register_url
    needs = facts_behind(merge_fields(text))
    if absent := event.lacks(needs if link else (*needs, "event.url")):
        raise MissingField(platform, absent)
    filled = fill(text, merge_values(event_words(event), ""))
    limit = LIMITS[platform.removesuffix("_push")]
    length = x_length(filled) + 1 + X_LINK if limit == X_LIMIT else len(filled) + 2 + len(link)
    if length > limit:
        raise UnfitField(
            f"slots.{platform} has {length} characters with its merge fields filled and the link added; "
            f"{platform.removesuffix('_push')} has room for {limit}; shorten it"
        )
    return f"{filled}\n{link}" if limit == X_LIMIT else f"{filled}\n\n{link}"

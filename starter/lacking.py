"""What the steps of a timeline lack: facts of the event, approved templates, settings of the organizer."""

from collections.abc import Iterator, Mapping

from models.automation import Action, Step
from templates import (
    RESPONSES,
    EventFacts,
    TemplateError,
    build_prompt,
    missing_chat_fields,
    missing_event_fields,
)

PLACES = {
    "event.organizer_name": "organizers.name",
    "event.organizer_address": "organizers.postal_address",
}
"""Where the facts are set that are not columns of the event."""

WORDS = "slots"
"""How a template calls the words that are generated for it."""


def lacking(step: Step, event: EventFacts, whatsapp_content: Mapping[str, str]) -> tuple[str, ...]:
    """Everything a step lacks, each once, and where it is to be set. Words that are still to be generated are not missed."""
    found = [lack for action in step.actions for lack in _of(action, step, event, whatsapp_content)]
    return tuple(dict.fromkeys(found))


def _of(action: Action, step: Step, event: EventFacts, whatsapp_content: Mapping[str, str]) -> Iterator[str]:
    names = list(dict.fromkeys([name for name in (action.template, *action.segments.values()) if name] or [step.id]))
    try:
        match action.verb:
            case "email":
                for name in names:
                    yield from _set(missing_event_fields(name, None, event))
            case "whatsapp":
                for name in names:
                    yield from _set(missing_chat_fields(name, event))
                    if name not in whatsapp_content:
                        yield f"organizers.whatsapp_content: no ContentSid for {name}"
            case "generate":
                for target in action.targets:
                    if target in RESPONSES:
                        build_prompt(target, event)
    except TemplateError as error:
        yield str(error)


def _set(fields: tuple[str, ...]) -> Iterator[str]:
    for field in fields:
        if field != WORDS:
            yield PLACES.get(field, field.replace("event.", "events.", 1))

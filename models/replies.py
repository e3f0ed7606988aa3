"""Answers: the address that leads one back to its message, which are a machine's, and until when somebody is away."""

import base64
import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from email.utils import getaddresses
from uuid import UUID

TOKEN = re.compile(r"^[^+@\s]+\+([a-z2-7]{26})@", re.IGNORECASE)

AUTOMATIC_SUBJECT = re.compile(
    r"^\s*(?:auto(?:matic)?(?:[ -]?(?:reply|response|matische antwort))|automatische antwort|abwesenheit|out of (?:the )?office"
    r"|ooo\b|away from (?:the )?office|on (?:vacation|leave|holiday)|réponse automatique|absence du bureau|respuesta automática"
    r"|fuera de la oficina|risposta automatica|resposta automática|undeliverable|delivery status notification"
    r"|mail delivery failed|returned mail)",
    re.IGNORECASE,
)
DAEMON = re.compile(r"(?:mailer-daemon|postmaster)@", re.IGNORECASE)

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janvier enero janeiro",
            "feb february februar février febrero fevereiro",
            "mar march märz mars marzo março",
            "apr april avril abril",
            "may mai mayo maio",
            "jun june juni juin junio junho",
            "jul july juli juillet julio julho",
            "aug august août agosto",
            "sep sept september septembre septiembre setembro",
            "oct okt october oktober octobre octubre outubro",
            "nov november novembre noviembre novembro",
            "dec dez december dezember décembre diciembre dezembro",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_YEAR = r"(?:,?\s+(?:de\s+)?(?P<year>\d{4}))?"
DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})\b",
        r"\b(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.(?P<year>\d{4})?",
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|\.)?\s+(?:of\s+|de\s+)?(?P<month>{_MONTH})\b\.?{_YEAR}",
        rf"\b(?P<month>{_MONTH})\b\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b{_YEAR}",
    )
)
"""1/2/2027 is left alone: it is another day on another continent."""

READ = 2000
"""Characters of a note in which it says when somebody is back."""
AWAY_AT_MOST = timedelta(days=366)


def reply_address(message_id: UUID, domain: str) -> str:
    """The reply-to address of one message; nobody can guess it who has not been sent it."""
    token = base64.b32encode(message_id.bytes).decode().rstrip("=").lower()
    return f"reply+{token}@{domain}"


def answered_message(recipients: Iterable[str]) -> UUID | None:
    """The message whose reply-to address is among those that a mail was sent to."""
    for _, address in getaddresses(list(recipients)):
        if found := TOKEN.match(address):
            return UUID(bytes=base64.b32decode(found[1].upper() + "======"))
    return None


def is_automatic(headers: Mapping[str, str], subject: str, sender: str = "") -> bool:
    """Whether a machine answered: an out-of-office note, a list, a mail server. Header names are in small letters."""
    submitted = headers.get("auto-submitted", "no").strip().lower()
    return (
        not submitted.startswith("no")
        or headers.get("precedence", "").strip().lower() in {"bulk", "auto_reply", "junk", "list"}
        or any(headers.get(name) for name in ("x-autoreply", "x-autorespond", "x-auto-response-suppress-reply"))
        or headers.get("return-path", "").strip() == "<>"
        or AUTOMATIC_SUBJECT.match(subject) is not None
        or DAEMON.search(sender) is not None
    )


def away_until(text: str, today: date) -> date | None:
    """The day until which a note says somebody is away: the latest it names within a year; None if it names none ahead."""
    named = [
        day
        for pattern in DATES
        for found in pattern.finditer(text[:READ])
        if (day := _day(found, today)) is not None and today <= day <= today + AWAY_AT_MOST
    ]
    return max(named, default=None)


def _day(found: re.Match[str], today: date) -> date | None:
    """The day that is named; without a year it is the next one of that name."""
    month = MONTHS.get(found["month"].lower()) or int(found["month"])
    try:
        if found["year"]:
            return date(int(found["year"]), month, int(found["day"]))
        this = date(today.year, month, int(found["day"]))
        return this if this >= today else this.replace(year=today.year + 1)
    except ValueError:
        return None

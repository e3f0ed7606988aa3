"""What an answer by mail means: whether it comes from the company that was written to, and whether it is a refusal. Pure."""

import re
from email.utils import parseaddr

FREE_MAIL = frozenset({
    "126.com", "163.com", "aol.com", "bol.com.br", "comcast.net", "fastmail.com", "free.fr", "gmail.com", "gmx.at", "gmx.ch",
    "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hey.com", "hotmail.co.uk", "hotmail.com", "hotmail.es", "hotmail.fr",
    "hotmail.it", "icloud.com", "inbox.com", "laposte.net", "libero.it", "live.com", "mac.com", "mail.com", "mail.ru", "me.com",
    "msn.com", "orange.fr", "outlook.com", "outlook.de", "outlook.es", "outlook.fr", "outlook.pt", "pm.me", "proton.me",
    "protonmail.com", "qq.com", "rocketmail.com", "sapo.pt", "seznam.cz", "t-online.de", "terra.com.br", "tutanota.com",
    "uol.com.br", "verizon.net", "wanadoo.fr", "web.de", "wp.pl", "yahoo.co.uk", "yahoo.com", "yahoo.com.br", "yahoo.de",
    "yahoo.es", "yahoo.fr", "yahoo.it", "yandex.com", "yandex.ru", "ymail.com", "zoho.com",
})  # fmt: skip
"""Domains whose people have nothing in common but their mail provider."""

REFUSAL = re.compile(
    r"\b(?:(?:not|isn['’]?t|aren['’]?t) (?:really |currently )?(?:interested|a (?:good )?fit|for us)"
    r"|no[,.]? (?:thanks|thank you|interest)\b|(?:we|i)(?:['’]ll| will| must| have to)? (?:decline|pass)\b(?! (?:this|it|that|your|the|along|on (?:to|your|the)))"
    r"|(?:have|decided) (?:to decline|not to (?:sponsor|take part|participate))|won['’]?t be (?:able to )?(?:sponsor|tak|participat)\w*"
    r"|can(?:not|['’]t) (?:sponsor|take part|participate)|(?:stop|don['’]t|do not) (?:contact|write|email)\w*"
    r"|(?:please )?(?:remove|unsubscribe) (?:me|us)\b"
    r"|kein(?:erlei)? interesse|nicht interessiert|müssen (?:leider )?absagen|pas intéressé\w*|nous déclinons"
    r"|no (?:nos|me) interesa|no estamos interesad\w+|não (?:temos|tenho) interesse|não nos interessa"
    r"|non siamo interessati|non (?:ci|mi) interessa)",
    re.IGNORECASE,
)
QUOTED = re.compile(
    r"^(?:\s*>.*|-{2,}\s*(?:original|forwarded|ursprüngliche|message d'origine|mensaje original|mensagem original).*"
    r"|_{8,}\s*|on .{4,200} wrote:|am .{4,200} schrieb.*:|le .{4,200} a écrit\s*:|el .{4,200} escribió:|em .{4,200} escreveu:"
    r"|(?:from|von|de|da): .+@.+)$",
    re.IGNORECASE | re.MULTILINE,
)
READ = 4000
"""Characters of an answer that are looked at."""


def same_company(one: str, other: str) -> bool:
    """Whether two addresses are one, or belong to one company: the same domain, which is no mail provider's."""
    one, other = _bare(one), _bare(other)
    if one == other:
        return bool(one)
    theirs, ours = one.rpartition("@")[2], other.rpartition("@")[2]
    return (
        bool(theirs) and theirs not in FREE_MAIL and (theirs == ours or _within(theirs, ours) or _within(ours, theirs))
    )


def own_words(text: str) -> str:
    """An answer without what it quotes."""
    quoted = QUOTED.search(text := text[:READ].replace("\r\n", "\n"))
    return text[: quoted.start()].strip() if quoted else text.strip()


def is_refusal(text: str) -> bool:
    """Whether an answer says no. One that asks something wants to talk, whatever else it says; a person reads it."""
    said = own_words(text)
    return "?" not in said and REFUSAL.search(said) is not None


def _bare(address: str) -> str:
    return parseaddr(address)[1].strip().lower()


def _within(domain: str, other: str) -> bool:
    """Whether a domain lies within another that is a company's: `mail.acme.example` within `acme.example`."""
    return other not in FREE_MAIL and other.count(".") >= 1 and domain.endswith(f".{other}")

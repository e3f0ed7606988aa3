"""What providers say, without the people of whom they say it: it comes to be read in labels, histories and logs."""

import re

ADDRESS = re.compile(r"[^\s<>()\[\]\"'`,;:=/?&]{1,64}(?:@|%40)[\w.-]*\w")
NUMBER = re.compile(r"whatsapp:[+\w]+|(?:\+|%2B)(?:[\s().-]?[\dX*]){5,}")
"""A telephone number as it is sent to providers, also with some of its digits hidden."""


def impersonal(said: str) -> str:
    """The same words with nobody's mail address or telephone number in them."""
    return NUMBER.sub("a number", ADDRESS.sub("an address", said))

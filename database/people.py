"""Who is one person, among contacts of whom some are written down more than once."""


def who(contact: str) -> str:
    """The SQL of what makes a row of contacts, or a copy with its `id` and `email`, somebody: the email address, or being that row."""
    return f"coalesce(nullif(lower(btrim({contact}.email)), ''), {contact}.id::text)"

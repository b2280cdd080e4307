"""What accounts and keys may be called: what people can read, and tell apart."""

from turnwire.accounts.errors import BadName

LONGEST = 64
LONGEST_REASON = 200


def account_name(text: str) -> str:
    """The name without space around it. Raises `BadName`."""
    name = key_name(text)
    if not name:
        raise BadName("The name of an account cannot be empty.")
    if name in (".", ".."):
        # In an address, they mean another place.
        raise BadName(f"No account can be named {name!r}.")
    return name


def key_name(text: str) -> str:
    """The same, but a key needs no name."""
    name = text.strip()
    if len(name) > LONGEST:
        raise BadName(f"A name has at most {LONGEST} characters; this one has {len(name)}.")
    if not name.isprintable():
        raise BadName(f"A name has printable characters only; {name!r} has others.")
    return name


def reason_text(text: str) -> str:
    """Why something was done, in one line. Raises `BadName`."""
    reason = text.strip()
    if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise BadName(f"A reason has 1 to {LONGEST_REASON} printable characters.")
    return reason

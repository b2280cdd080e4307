"""The key or token that a client presents."""


def credential_of(header: str | None) -> str | None:
    """What is in an Authorization header, raw or as a bearer's; None without one."""
    scheme, _, credential = (header or "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return credential.strip() or None
    return (header or "").strip() or None

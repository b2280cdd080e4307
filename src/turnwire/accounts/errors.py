"""What can go wrong with accounts and their ledger, beside the refusal of a session."""


class AccountsError(Exception):
    """Its text is a sentence for whoever runs the server."""


class DatabaseUnusable(AccountsError):
    """The database cannot be opened."""


class DatabaseFailed(AccountsError):
    """The database is open, and something went wrong with it; it may work again later."""


class NotFound(AccountsError):
    """There is no account, key or session of that name."""


class NameTaken(AccountsError):
    """There is an account of that name already."""


class NotNow(AccountsError):
    """As things stand, that cannot be done."""


class BadName(AccountsError):
    """Nothing can be called this."""

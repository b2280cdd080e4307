"""`turnwire sessions`: the ledger, session by session."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from turnwire.admin.views import MOST_LISTED, Session, SessionFilter
from turnwire.cli.managing import manages
from turnwire.cli.moments import Since, Until, unix_time
from turnwire.cli.outcomes import Listing, Said, Shown
from turnwire.cli.tables import NOTHING, moment

if TYPE_CHECKING:
    from turnwire.admin.administration import Administration

app = typer.Typer(help="The ledger, session by session.", no_args_is_help=True)

HEAD = ("ID", "Account", "Begun (UTC)", "Ended", "Closure", "Audio, s", "Billed, s")

Id = Annotated[str, typer.Argument(help="As Begin told the client.", metavar="ID")]


@app.command("list")
@manages
async def list_(
    admin: "Administration",
    account: Annotated[
        str | None, typer.Option(help="Only those of this account.", metavar="NAME")
    ] = None,
    since: Since = None,
    until: Until = None,
    code: Annotated[
        int | None, typer.Option(help="Only those that ended with this close code.", metavar="CODE")
    ] = None,
    open: Annotated[bool, typer.Option("--open", help="Only those that are open.")] = False,
) -> Listing[Session]:
    """Show the sessions, newest first."""
    which = SessionFilter(
        account=account,
        since=unix_time(since),
        until=unix_time(until),
        code=code,
        open=open,
        limit=MOST_LISTED,
    )
    return Listing(HEAD, _row, _pages(admin, which))


async def _pages(admin: "Administration", which: SessionFilter) -> AsyncIterator[Sequence[Session]]:
    """One after the other, as a ledger may have millions of sessions."""
    while True:
        page = await admin.sessions(which)
        yield page.items
        if page.next is None:
            return
        which = which.model_copy(update={"after": page.next})


def _row(session: Session) -> tuple[str | float, ...]:
    return (
        session.id,
        session.account,
        moment(session.begun_at),
        moment(session.ended_at),
        session.closure or NOTHING,
        session.audio_seconds,
        session.billed_seconds,
    )


@app.command("show")
@manages
async def show_(admin: "Administration", id: Id) -> Shown:
    """Show all that is kept of one session."""
    session = await admin.session(id)
    return Shown(
        (
            ("ID", session.id),
            ("Account", session.account),
            ("Came by", _credential(session)),
            ("Server", session.node),
            ("Begun (UTC)", moment(session.begun_at)),
            ("Last sign of life", moment(session.renewed_at)),
            ("Ended", moment(session.ended_at)),
            ("Closure", session.closure or NOTHING),
            ("Audio, s", f"{session.audio_seconds:.1f}"),
            ("Session, s", f"{session.session_seconds:.1f}"),
            ("Billed, s", f"{session.billed_seconds:.1f}"),
        ),
        session,
    )


@app.command()
@manages
async def end(admin: "Administration", id: Id) -> Said:
    """End an open session, its last words delivered, whichever server runs it."""
    await admin.end_session(id)
    return Said(
        f"Asked for the end of session {id}; its server ends it within seconds.",
        await admin.session(id),
    )


def _credential(session: Session) -> str:
    key = "an operator" if session.key_id is None else f"key {session.key_id}"
    return key if session.token_id is None else f"token {session.token_id} of {key}"

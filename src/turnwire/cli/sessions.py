"""`turnwire sessions`: the ledger, session by session."""

from typing import TYPE_CHECKING, Annotated

import typer

from turnwire.cli.managing import manages
from turnwire.cli.tables import NOTHING, moment, seconds, show

if TYPE_CHECKING:
    from turnwire.accounts.management import Management
    from turnwire.accounts.tables import Entry

LISTED = 100
"""Sessions; a ledger may have millions."""

app = typer.Typer(help="The ledger, session by session.", no_args_is_help=True)


@app.command("list", help=f"Show the newest {LISTED} sessions, newest first.")
@manages
async def list_(
    management: "Management",
    account: Annotated[
        str | None, typer.Option(help="Only those of this account.", metavar="NAME")
    ] = None,
    open: Annotated[bool, typer.Option("--open", help="Only those that are open.")] = False,
) -> None:
    show(
        ("ID", "Account", "Begun (UTC)", "Ended", "Closure", "Audio, s", "Billed, s"),
        (
            (
                entry.id,
                entry.account.name,
                moment(entry.begun_at),
                moment(entry.ended_at),
                entry.closure or NOTHING,
                seconds(entry.audio_ms),
                seconds(entry.billed_ms),
            )
            for entry in await management.sessions(account=account, only_open=open, limit=LISTED)
        ),
    )


@app.command("show")
@manages
async def show_(
    management: "Management",
    id: Annotated[str, typer.Argument(help="As Begin told the client.", metavar="ID")],
) -> None:
    """Show all that is kept of one session."""
    entry = await management.session(id)
    show(
        ("", ""),
        (
            ("ID", entry.id),
            ("Account", entry.account.name),
            ("Came by", _credential(entry)),
            ("Server", entry.node),
            ("Begun (UTC)", moment(entry.begun_at)),
            ("Last sign of life", moment(entry.renewed_at)),
            ("Ended", moment(entry.ended_at)),
            ("Closure", entry.closure or NOTHING),
            ("Audio, s", f"{seconds(entry.audio_ms):.1f}"),
            ("Session, s", f"{seconds(entry.session_ms):.1f}"),
            ("Billed, s", f"{seconds(entry.billed_ms):.1f}"),
        ),
    )


def _credential(entry: "Entry") -> str:
    key = "an operator" if entry.key_id is None else f"key {entry.key_id}"
    return key if entry.token_id is None else f"token {entry.token_id} of {key}"

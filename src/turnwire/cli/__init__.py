"""The `turnwire` command."""

from typing import Annotated

import typer

from turnwire import __version__
from turnwire.cli import (
    accounts,
    admin,
    bench,
    closures,
    completion,
    config,
    demo,
    doctor,
    drain,
    init,
    keys,
    listen,
    probe,
    serve,
    sessions,
    tokens,
    transcribe,
    usage,
    webhooks,
)

app = typer.Typer(
    help="Self-hosted real-time speech-to-text. Start with `turnwire demo`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(demo.demo)
app.command()(serve.serve)
app.command()(init.init)
app.command()(doctor.doctor)
app.command()(drain.drain)
app.command()(transcribe.transcribe)
app.command()(listen.listen)
app.command()(probe.probe)
app.add_typer(admin.app, name="admin")
app.add_typer(accounts.app, name="accounts")
app.add_typer(keys.app, name="keys")
app.add_typer(tokens.app, name="tokens")
app.add_typer(sessions.app, name="sessions")
app.command()(usage.usage)
app.add_typer(webhooks.app, name="webhooks")
app.command()(closures.closures)
app.add_typer(config.app, name="config")
app.command()(completion.completion)
app.add_typer(bench.app, name="bench")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"turnwire {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass


completion.answer_shells()

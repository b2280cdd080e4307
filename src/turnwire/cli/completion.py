"""`turnwire completion`: what a shell needs to complete the commands."""

import os
from enum import StrEnum
from typing import Annotated

import typer
from typer import completion as shells

VARIABLE = "_TURNWIRE_COMPLETE"
"""In the environment when a shell asks what may follow."""


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[Shell, typer.Argument(help="Which shell.")]) -> None:
    """Print what has a shell complete commands and options.

    bash: echo 'eval "$(turnwire completion bash)"' >> ~/.bashrc.

    zsh: echo 'eval "$(turnwire completion zsh)"' >> ~/.zshrc, below compinit.

    fish: turnwire completion fish > ~/.config/fish/completions/turnwire.fish.
    """
    script = shells.get_completion_script  # type: ignore[attr-defined]
    typer.echo(script(prog_name="turnwire", complete_var=VARIABLE, shell=shell))


def answer_shells() -> None:
    """Have a shell that asks be answered; Typer does so only with options that install it, too."""
    if VARIABLE in os.environ:
        shells.get_completion_inspect_parameters()

"""`python -m turnwire.cli` is `turnwire`."""

from turnwire.cli import app

app()

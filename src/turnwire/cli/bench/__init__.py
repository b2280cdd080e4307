"""`turnwire bench`: what this machine holds, and what it costs."""

import typer

from turnwire.cli.bench.load import bench
from turnwire.cli.bench.plot import plot
from turnwire.cli.bench.speech import accuracy, recognition
from turnwire.cli.bench.storm import storm
from turnwire.cli.bench.upkeep import churn, idle, overhead

app = typer.Typer(help="Measure what this machine holds.")
app.callback(invoke_without_command=True)(bench)
for command in (accuracy, recognition, overhead, idle, churn, storm, plot):
    app.command()(command)

"""Command line of the operator: ``run`` and ``rotate-key``."""

import gc
import resource

import typer
import uvloop

from quantum_operator import app as application
from quantum_operator import logs
from quantum_operator.errors import OperatorError
from quantum_operator.settings import Settings

app = typer.Typer(help="Kubernetes objects in, signed policy documents out.", pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def default(context: typer.Context) -> None:
    """Run the operator when no command is named."""
    if context.invoked_subcommand is None:
        run()


@app.command()
def run() -> None:
    """Run the operator for one namespace (settings: QT_OPERATOR_*)."""
    settings = Settings()
    logs.configure(settings.log_level)
    _raise_file_limit()
    gc.freeze()  # what is imported never becomes garbage: no collection needs to walk it
    uvloop.run(application.run(settings))


@app.command("rotate-key")
def rotate_key() -> None:
    """Add a signing key.  The running operator signs with it once engines know it, and drops the old one when no document needs it."""
    settings = Settings()
    logs.configure(settings.log_level)
    try:
        key_id = uvloop.run(application.rotate_key(settings))
    except OperatorError as error:
        typer.echo(f"not rotated: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"key {key_id} is published; it becomes active {settings.key_grace_seconds} s after the operator has seen it published")


def _raise_file_limit() -> None:
    """Two sockets per engine: the soft limit of many systems ends at five hundred engines."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> None:
    app()


if __name__ == "__main__":
    main()

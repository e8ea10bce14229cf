"""`quantum-engine run` is one engine; `quantum-engine halt` stops it from inside its pod, with the network down."""

import asyncio

import typer
import uvloop
from pydantic import ValidationError

from quantum_engine.errors import CorruptStateError
from quantum_engine.node import Node
from quantum_engine.settings import Settings

EXIT_CONFIG = 2
EXIT_CORRUPT = 3

app = typer.Typer(help="One trading engine.", no_args_is_help=True, add_completion=False)


@app.callback()
def root() -> None:
    """One trading engine."""


@app.command()
def run() -> None:
    """Run the engine until SIGTERM.  Configuration comes from the environment (QT_ENGINE_*, POD_*)."""
    try:
        settings = Settings()
    except ValidationError as error:
        typer.echo(f"the configuration is not usable: {error}", err=True)
        raise typer.Exit(EXIT_CONFIG) from error
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings))
    except CorruptStateError as error:
        typer.echo(f"the engine must not start on this journal: {error}", err=True)
        raise typer.Exit(EXIT_CORRUPT) from error


async def _run(settings: Settings) -> None:
    await Node(settings).run()


def main() -> None:
    """Entry point of the distribution."""
    app()


if __name__ == "__main__":
    main()

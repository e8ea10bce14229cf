"""`quantum-engine run` is one engine; `halt` stops it from inside its pod, with the network down; `spool` saves what it could not tell."""

import asyncio
import getpass
import os
import time
from threading import Event
from typing import Annotated

import typer
import uvloop
from pydantic import ValidationError

from quantum_api.trading_policy import StopAction
from quantum_engine import spool_command
from quantum_engine.adapters.halt_requests import HaltFile, HaltRequests
from quantum_engine.adapters.journal_lock import JournalLock
from quantum_engine.clock import SystemClock, random_id
from quantum_engine.emergency.latches import new_id
from quantum_engine.errors import CorruptStateError, PermanentError
from quantum_engine.node import Node
from quantum_engine.settings import Settings

EXIT_CONFIG = 2
EXIT_CORRUPT = 3
EXIT_NOT_HALTED = 4
EXIT_UNCONFIRMED = 5

app = typer.Typer(help="One trading engine.", no_args_is_help=True, add_completion=False)
app.add_typer(spool_command.app, name="spool")


@app.command()
def run() -> None:
    """Run the engine until SIGTERM.  Configuration comes from the environment (QT_ENGINE_*, POD_*)."""
    settings = _settings()
    try:
        with JournalLock(settings.journal_path), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings))
    except CorruptStateError as error:
        typer.echo(f"the engine must not start on this journal: {error}", err=True)
        raise typer.Exit(EXIT_CORRUPT) from error
    except PermanentError as error:
        typer.echo(f"the engine cannot start: {error}", err=True)
        raise typer.Exit(EXIT_CONFIG) from error


@app.command()
def halt(
    reason: Annotated[str, typer.Option(help="Why, for whoever is called at night.")],
    action: Annotated[StopAction, typer.Option(help="HaltEntries < CancelOrders < Flatten.")] = StopAction.FLATTEN,
    by: Annotated[str, typer.Option(envvar="KUBERNETES_USER", help="Who you are, for the record; default: the user of this shell.")] = "",
    wait: Annotated[float, typer.Option(help="Seconds to wait for the engine's confirmation.")] = 5.0,
) -> None:
    """Stop this pod's engine.  Needs no network; if the engine hangs or is dead, it is stopped at its next start."""
    settings = _settings()
    requests = HaltRequests(settings.journal_path)
    try:
        request = HaltFile(
            id=new_id(settings.pod_name, SystemClock().wall_ms(), random_id()), action=action, reason=reason, by=(by or _shell_user())[:256]
        )
        file = requests.ask(request)
    except (OSError, ValidationError) as error:
        typer.echo(f"NOT halted, the request could not be written: {error}; use POST /v1/halt or an EmergencyStop object", err=True)
        raise typer.Exit(EXIT_NOT_HALTED) from error
    if not _confirmed(requests, request, wait):
        typer.echo(f"requested, not confirmed within {wait:g} s: {file.name} is on disk, to be taken at the engine's next start", err=True)
        raise typer.Exit(EXIT_UNCONFIRMED)
    typer.echo(f"halted: latch {request.id} ({action}) is in force and on disk; only a release by people clears it")


def _shell_user() -> str:
    """Containers often run under a user id that has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _confirmed(requests: HaltRequests, request: HaltFile, wait_seconds: float) -> bool:
    deadline = time.monotonic() + wait_seconds
    pause = Event()
    while not requests.confirmed(request):
        if time.monotonic() >= deadline:
            return False
        pause.wait(0.02)
    return True


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        typer.echo(f"the configuration is not usable: {error}", err=True)
        raise typer.Exit(EXIT_CONFIG) from error


async def _run(settings: Settings) -> None:
    await Node(settings).run()


def main() -> None:
    """Entry point of the distribution."""
    app()


if __name__ == "__main__":
    main()

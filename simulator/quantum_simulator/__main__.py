"""Runs the venue as a process until SIGTERM or SIGINT.

In    ``QT_SIM_*`` or arguments, account files
Out   two listening ports; one log line with their addresses; exit code 0 on a signal
Flow  shell, container -> HERE -> venue
Why   a venue that does not end within a second makes every test that kills it slow
"""

import asyncio
import signal
import sys

import structlog
import uvloop
from pydantic import ValidationError
from pydantic_settings import CliApp

from quantum_simulator.account_files import BadAccountFileError, read_accounts
from quantum_simulator.market_files import BadMarketFileError
from quantum_simulator.settings import Settings
from quantum_simulator.venue import Venue

structlog.configure(
    processors=[
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.add_log_level,
        structlog.processors.JSONRenderer(),
    ],
    logger_factory=structlog.PrintLoggerFactory(sys.stderr),
)
log = structlog.get_logger("quantum_simulator")


async def serve(settings: Settings) -> None:
    accounts = read_accounts(settings.accounts_dir) if settings.accounts_dir else []
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stopped.set)
    async with Venue(accounts, settings.options()) as venue:
        log.info(
            "listening",
            rest=venue.base_url,
            streams=venue.stream_url,
            control=venue.control_url,
            accounts=[each.name for each in accounts],
            seed=settings.seed,
        )
        waiting = asyncio.create_task(stopped.wait())
        running = asyncio.create_task(venue.failed())
        done, pending = await asyncio.wait({waiting, running}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        if running in done:
            running.result()
    log.info("stopped")


def main() -> None:
    try:
        uvloop.run(serve(CliApp.run(Settings)))
    except (BadAccountFileError, BadMarketFileError, ValidationError) as error:
        log.error("cannot start", reason=str(error))  # noqa: TRY400 - a sentence for people, not a stack trace
        sys.exit(2)
    except OSError as error:
        log.error("cannot listen", reason=str(error), next="is the port in use? choose another with --port")  # noqa: TRY400
        sys.exit(1)


if __name__ == "__main__":
    main()

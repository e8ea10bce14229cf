"""JSON lines on standard output, with stable event names: one field `event` in snake_case, the rest is data."""

import logging
import sys

import structlog


def configure(level: str, *, engine: str, instance: str) -> None:
    """Set up logging of the whole process; every line bears the engine and the process instance."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(engine=engine, instance=instance)


def logger(stage: str) -> structlog.typing.FilteringBoundLogger:
    """The logger of one stage."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger(stage=stage)
    return bound

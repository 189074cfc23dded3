import logging
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Tests measure no time: on a busy machine any example may be slow.
settings.register_profile("docstore", deadline=None)
settings.load_profile("docstore")

# Who starts this in the background has it ignore Ctrl-C, and with it every process of a test.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Commands set logging up for a whole process; a test is not the only one in its own, nor are
    the fixtures that it shares with others.
    """
    for logger in _loggers():
        if logger.name.startswith("docstore"):
            logger.setLevel(logging.NOTSET)
    before = {logger: (logger.level, list(logger.handlers)) for logger in _loggers()}
    yield
    for logger in before:  # libraries set up their own when they are loaded
        level, logger.handlers[:] = before[logger]
        logger.setLevel(level)  # which forgets what was decided before
    logging.captureWarnings(False)


def _loggers() -> list[logging.Logger]:
    known = logging.Logger.manager.loggerDict.values()
    return [logging.getLogger(), *(each for each in known if isinstance(each, logging.Logger))]

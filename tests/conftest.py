import logging
from collections.abc import Iterator

import pytest


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
    for logger in _loggers():
        level, logger.handlers[:] = before.get(logger, (logging.NOTSET, []))
        logger.setLevel(level)  # which forgets what was decided before
    logging.captureWarnings(False)


def _loggers() -> list[logging.Logger]:
    known = logging.Logger.manager.loggerDict.values()
    return [logging.getLogger(), *(each for each in known if isinstance(each, logging.Logger))]

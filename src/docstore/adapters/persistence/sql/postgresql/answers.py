"""What the driver says when the server does not."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from docstore.domain.errors import Unavailable


@contextmanager
def answering() -> Iterator[None]:
    """Turns into Unavailable what SQLAlchemy passes on as it is: trouble on the network, time that
    is up, and a connection that is refused. All else is `sql_errors`'s.
    """
    try:
        yield
    except TimeoutError as error:
        raise Unavailable("the database does not answer in time") from error
    except OSError as error:
        raise Unavailable(f"the database is not reached: {error}") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unavailable(f"the database takes no connection: {error}") from error

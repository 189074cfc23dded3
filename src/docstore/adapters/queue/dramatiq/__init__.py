"""The queue in Redis. Loaded only when its URL asks for it: it needs `docstore[redis]`."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from docstore.adapters.queue.dramatiq.queue import DramatiqJobQueue
from docstore.adapters.redis_server import RedisSettings, connection_options


def connect(url: str, *, durable: bool = True) -> DramatiqJobQueue:
    """`redis://host:port/database`, or `rediss://` for TLS. Hints need not be durable."""
    settings = RedisSettings()
    retry = Retry(NoBackoff(), 0)
    client = redis.Redis.from_url(url, retry=retry, **connection_options(url, settings))
    return DramatiqJobQueue(
        client,
        prefix=settings.redis_prefix,
        timeout=settings.redis_timeout,
        max_hints=settings.redis_max_hints,
    )

import re

from docstore.adapters.redis_server import OPTIONS, RedisSettings
from unit.docs.pages import DOCS

PAGE = (DOCS / "redis.md").read_text()


def test_its_settings_and_their_defaults_are_those_of_the_code() -> None:
    told = dict(re.findall(r"^\| `DOCSTORE_(REDIS_\w+)` \| (?:`(.*?)` )?\|", PAGE, re.MULTILINE))
    fields = RedisSettings.model_fields.items()
    assert told == {name.upper(): str(field.default) for name, field in fields}


def test_the_options_of_a_url_are_told() -> None:
    assert set(re.findall(r"\b(ssl_\w+)=", PAGE)) == OPTIONS

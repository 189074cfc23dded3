import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.clients import TEXT, final, signed_in, upload
from integration.faults.database_restarts import DatabaseRestarts
from integration.replays import a_seed
from integration.servers import DidNotStart, Server, serving
from integration.services.postgresql import Postgresql, postgresql


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def database() -> Iterator[Postgresql]:
    with postgresql(durable=True) as database:
        yield database


@pytest.fixture
def url(database: Postgresql) -> str:
    return database.new_database()


def test_a_file_is_kept_processed_found_and_forgotten(tmp_path: Path, url: str) -> None:
    with serving(tmp_path / "data", database_url=url) as server, signed_in(server) as client:
        ident = upload(client)
        view = final(client, ident)
        assert view["status"] == "processed"
        assert client.get(f"/files/{ident}/content").content == TEXT
        assert [f["id"] for f in client.get("/files").json()["items"]] == [ident]
        change = {"title": "Évening", "tags": ["lamp", "dusk"]}
        client.patch(f"/files/{ident}", json=change).raise_for_status()
        for asked in (
            {"q": "ÉVENING"},
            {"tag": "dusk"},
            {"filename": "NOTES"},
            {"q": "lamp notes"},
        ):
            found = client.get("/files", params=asked).json()["items"]
            assert [file["id"] for file in found] == [ident], asked
        assert client.get("/files", params={"tag": "d"}).json()["items"] == []
        assert client.delete(f"/files/{ident}").status_code == 204
        assert client.get(f"/files/{ident}").status_code == 404
        assert client.get("/files").json()["total"] == 0
        server.stop()
        server.command("sweep", "--grace", "0")
        assert server.command("fsck", "--grace", "0")["clean"]
        assert not (tmp_path / "data" / "docstore.db").exists()


def test_two_servers_on_one_database_are_replicas(tmp_path: Path, url: str) -> None:
    """That share the store of blobs as well, and the secret of the tokens."""
    shared = {
        "DOCSTORE_DATABASE_URL": url,
        "DOCSTORE_STORAGE_URL": (tmp_path / "blobs").as_uri(),
        "DOCSTORE_JWT_SECRET": "x" * 32,
    }
    with (
        serving(tmp_path / "one", environment=shared) as one,
        serving(tmp_path / "two", environment=shared) as two,
        signed_in(one) as client,
    ):
        ident = upload(client)
        assert final(client, ident)["status"] == "processed"
        client.base_url = two.url
        assert client.get(f"/files/{ident}/content").content == TEXT


def test_a_server_that_is_away_at_the_start_is_told(tmp_path: Path) -> None:
    url = "postgresql://ann:not-so-secret@127.0.0.1:1/docstore"
    with pytest.raises(DidNotStart) as refused, serving(tmp_path / "data", database_url=url):
        pass
    assert refused.value.status == 1
    assert "the database is not reached" in refused.value.said
    assert "not-so-secret" not in refused.value.said


def test_no_password_is_shown(tmp_path: Path, database: Postgresql, url: str) -> None:
    secret = {"DOCSTORE_DATABASE_PASSWORD": "not-so-secret"}
    for given in (url.replace("@", ":not-so-secret@"), url):
        server = Server(tmp_path / "data", {"DOCSTORE_DATABASE_URL": given, **secret})
        server.command("migrate")
        for command in ("config", "doctor"):
            said = json.dumps(server.command(command))
            assert "not-so-secret" not in said
        assert "127.0.0.1" in json.dumps(server.command("config"))


@pytest.mark.anyio
async def test_five_restarts_of_postgresql_cost_clean_refusals(
    tmp_path: Path, database: Postgresql, url: str
) -> None:
    await nothing_is_lost(tmp_path, database, url, restarts=5)


@pytest.mark.faults
@pytest.mark.anyio
async def test_twenty_restarts_of_postgresql_cost_clean_refusals(
    tmp_path: Path, database: Postgresql, url: str
) -> None:
    await nothing_is_lost(tmp_path, database, url, restarts=20)


async def nothing_is_lost(tmp_path: Path, database: Postgresql, url: str, *, restarts: int) -> None:
    seed = a_seed()
    # A worker that cannot claim a job forgets the hint; it is given again after that patience.
    with serving(tmp_path / "data", database_url=url, upload_rate="off", patience="3") as server:
        tally = await DatabaseRestarts(server, database, seed, restarts=restarts).run()
        print(tally)
        assert tally.broken == []
        assert tally.refused, "the restarts hit nobody"
        assert what_is_not_whole(database, url) == []
        assert errors_of(server) == []
        assert server.stop() == 0
        server.command("sweep", "--grace", "0")  # what a refused upload had staged, too
        assert server.command("fsck", "--grace", "0")["clean"]


def errors_of(server: Server) -> list[str]:
    """What was logged as somebody's mistake: that the database is away is none."""
    records = [json.loads(line) for line in server.log.read_text().splitlines()]
    messages = [record["message"] for record in records if record["level"] == "error"]
    return [message for message in messages if ": 503 Unavailable:" not in message]


def what_is_not_whole(database: Postgresql, url: str) -> list[str]:
    """All that is saved in one transaction is there together; all jobs of files ended."""
    name = url.rsplit("/", 1)[1]
    questions = (
        "SELECT 'no job', id FROM files WHERE NOT EXISTS"
        " (SELECT 1 FROM jobs WHERE file_id = files.id AND status = 'completed')",
        "SELECT status, id FROM files WHERE status != 'processed'",
        "SELECT status, id FROM jobs WHERE status != 'completed' AND file_id IS NOT NULL",
        "(SELECT 'count', user_id, status, count(*) AS total FROM files GROUP BY 2, 3"
        " EXCEPT SELECT 'count', user_id, status, total FROM file_counts)",
    )
    return [found for question in questions if (found := database.sql(question, name))]

"""The contract of `UnitOfWork`, for every adapter: ours and yours.

class TestMyDatabase(UnitOfWorkContract):
    @pytest.fixture
    async def begin(self, tmp_path: Path) -> AsyncIterator[Begin]:
        async with MyDatabase(tmp_path) as database:
            yield database.begin
"""

from docstore.testing.unit_of_work.additions import AdditionsContract
from docstore.testing.unit_of_work.claims import ClaimsContract
from docstore.testing.unit_of_work.files import FilesContract
from docstore.testing.unit_of_work.jobs import JobsContract
from docstore.testing.unit_of_work.listings import ListingsContract
from docstore.testing.unit_of_work.transactions import TransactionsContract
from docstore.testing.unit_of_work.updates import UpdatesContract
from docstore.testing.unit_of_work.upkeep import UpkeepContract
from docstore.testing.unit_of_work.users import UsersContract


class UnitOfWorkContract(
    FilesContract,
    JobsContract,
    ListingsContract,
    UsersContract,
    UpdatesContract,
    ClaimsContract,
    UpkeepContract,
    TransactionsContract,
    AdditionsContract,
):
    """Override the `begin` fixture: it starts transactions on a database that is empty, with its
    tables made, for each test anew. Every test here must pass.
    """

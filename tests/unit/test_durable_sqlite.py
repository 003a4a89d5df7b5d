"""Several processes open the same new file at once, as the workers of a platform do when it is started first."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from pathlib import Path
from threading import Barrier

import pytest

from cloud_api.forecast.archive import Archive
from cloud_api.ledger import Ledger
from cloud_api.stores.sqlite import SqliteStore

AT_ONCE = 4
ROUNDS = 10


@pytest.mark.parametrize("kind", [Ledger, Archive, SqliteStore])
def test_all_that_open_a_new_file_at_the_same_moment_find_it_whole(
    kind: Callable[[Path], Archive | Ledger | SqliteStore], tmp_path: Path
) -> None:
    start = Barrier(AT_ONCE)

    def opened(file: Path) -> AbstractContextManager[object]:
        start.wait()
        return closing(kind(file))

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for number in range(ROUNDS):
            for each in threads.map(opened, [tmp_path / f"{number}.db"] * AT_ONCE):
                with each:
                    pass

"""`make bench`."""

from tests.bench import intake
from tests.bench.table import show

if __name__ == "__main__":
    show(intake.rows())

"""Every benchmark, one after the other: `make bench`. Options are those of the announcement."""

import sys

from tests.benchmarks import announcement

announcement.measure(sys.argv[1:])

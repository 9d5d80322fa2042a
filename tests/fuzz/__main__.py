"""`python tests/fuzz COUNT [SEED]`: prints what was found, and what it took."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.runner import run

if __name__ == "__main__":
    count, seed = (int(a) for a in [*sys.argv[1:], "0"][:2])
    found = run(count, seed, report=print)
    print(", ".join(f"{n} {outcome}" for outcome, n in sorted(found.counts.items())))
    print(f"{time.process_time():.0f} seconds of the processor")
    sys.exit(bool(found.faults))

"""What is left to chance in a run, so that it can be had again."""

import os
import random


def a_seed() -> int:
    """That of DOCSTORE_TEST_SEED, or another each time; printed."""
    seed = int(os.environ.get("DOCSTORE_TEST_SEED") or random.SystemRandom().getrandbits(32))
    print(f"\nreplay with DOCSTORE_TEST_SEED={seed}")
    return seed

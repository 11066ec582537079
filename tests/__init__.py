"""Tests run side by side, one a core: threads of numpy's own would only be in each other's way."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is imported

"""The edition that is shipped: one real day. Apart from its reader, which is slow to load."""

from datetime import date
from pathlib import Path

SAMPLE_EDITION = Path(__file__).with_suffix(".json")
SAMPLE_DAY = date(2025, 12, 5)
SAMPLE_PAPERS = 26

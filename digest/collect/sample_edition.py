"""The edition that is shipped: one real day. Apart from its reader, which is slow to load."""

from datetime import UTC, date, datetime, time
from pathlib import Path

SAMPLE_EDITION = Path(__file__).with_suffix(".json")
SAMPLE_DAY = date(2025, 12, 5)
SAMPLE_EVENING = datetime.combine(SAMPLE_DAY, time(18), UTC)
SAMPLE_PAPERS = 26

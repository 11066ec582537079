"""Changing a `.env` file."""

from pathlib import Path

from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from digest.settings.dotenv import with_values

VALUES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=40)


def read(text: str, folder: Path) -> dict[str, str | None]:
    file = folder / "values.env"
    file.write_text(text, encoding="utf-8")
    return dotenv_values(file, interpolate=False)


@given(values=st.dictionaries(st.sampled_from(["DIGEST_FROM", "DIGEST_SECRET", "X"]), VALUES))
def test_what_is_written_is_read(values: dict[str, str], tmp_path_factory: object) -> None:
    folder: Path = tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    before = "# hand-made\nDIGEST_FROM=old@example.org # why\n\nOTHER='a b'\nDIGEST_FROM=twice\n"
    after = with_values(before, values)
    assert read(after, folder) == {**read(before, folder), **values}
    assert after.startswith("# hand-made\n")
    assert all(after.count(f"\n{name}=") == 1 for name in values)


def test_a_file_without_a_last_line_end_keeps_its_last_line() -> None:
    assert with_values("A=1", {"B": "it's"}) == "A=1\nB='it\\'s'\n"

"""docs/decisions.md holds short records; the notebook and the findings list what they hold."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PARTS = ("Decision", "Why", "Number", "Date")
RECORDS = re.split(r"^### ", (ROOT / "docs/decisions.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]


def lines_of(record: str) -> list[str]:
    """The lines of a record that say something; the heading of the next group is not one of them."""
    return [line for line in record.split("\n## ")[0].splitlines() if line.strip()]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.splitlines()[0][:60])
def test_a_record_is_short_and_has_its_four_parts(record):
    """A heading, then decision, why, number and date in this order, in six lines at most."""
    heading, *rest = lines_of(record)
    assert len(rest) < 6
    assert [line.split(":**")[0].removeprefix("- **") for line in rest if line.startswith("- **")] == list(PARTS)
    assert all(line.split(":**")[1].strip() for line in rest if line.startswith("- **"))
    assert re.fullmatch(r"- \*\*Date:\*\* \d{4}-\d\d-\d\d", rest[-1])
    assert heading


def test_no_two_records_have_one_name():
    """A record is found by its heading."""
    headings = [record.splitlines()[0] for record in RECORDS]
    assert len(set(headings)) == len(headings) > 40


@pytest.mark.parametrize("folder, pattern", [("docs/notebook", "*.md"), ("findings", "*.sh")])
def test_a_readme_lists_every_file_of_its_folder(folder, pattern):
    """What is not listed is not found; what is listed is there."""
    listed = re.findall(
        r"^\| (?:\[|`)([\w.-]+)", (ROOT / folder / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(listed) == sorted(path.name for path in (ROOT / folder).glob(pattern) if path.name != "README.md")

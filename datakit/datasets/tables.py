"""Tables in files: csv, jsonl and parquet, read one row at a time with its place, and written whole or not at all.

A table may begin with a header: an object that says what it is. It stands in the first line of a csv behind `# `, is
the first line of a jsonl, and an entry of the metadata of a parquet file. parquet needs the extra `parquet`.
"""

from __future__ import annotations

import contextlib
import csv
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO, TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, TextIO

from .. import looking, reading
from ..errors import UsageError
from ..extras import require
from ..files import canonical_json, check_writable, replacing
from ..places import Place, is_stored
from ..wording import no_such

FORMAT = "masktrack-datakit listing"
MARK = "# "  # before the header of a csv
SEPARATORS = ",;\t"  # of columns, as spreadsheets save them
CELL = 1 << 30  # characters of a csv's cell at most: outlines of a crowded photo take more than Python's 131 072
GROUP = 65_536  # rows of a parquet file that stand in memory at once
NESTED = ("annotation", "problem")  # columns that hold JSON, as a text where the kind of file has no lists

Header = Mapping[str, Any]
Row = tuple[int, list[Any]]
"""Line or row number from 1, and the values of the columns asked for; None where the table has none."""


class Table(ABC):
    """A file of rows.

    Attributes:
        path: of the file.
        header: what it says about itself; None where it says nothing.
        columns: their names; of a jsonl those of its first object.
        place: what a row is called in messages.
    """

    place: ClassVar[str] = "line"

    def __init__(self, path: Place):
        self.path = path
        self._data = b""
        self.header: dict[str, Any] | None = None
        self.columns: tuple[str, ...] = ()
        with self._readable():
            if is_stored(path):
                self._data = reading.read_file(path)
            self._open()

    def _bytes(self) -> BinaryIO:
        return BytesIO(self._data) if is_stored(self.path) else self.path.open("rb")

    def _text(self, newline: str | None = None) -> TextIO:
        return TextIOWrapper(self._bytes(), encoding="utf-8-sig", newline=newline)

    def rows(self, wanted: Sequence[str]) -> Iterator[Row]:
        """The rows in order.

        Args:
            wanted: names of columns.

        Raises:
            UsageError: it cannot be read on; the message has the place.
        """
        with self._readable():
            yield from self._rows(wanted)

    def fault(self, number: int, text: str) -> UsageError:
        """The error that says what is wrong with a row."""
        return UsageError(f"{self.path}, {self.place} {number}: {text}")

    @abstractmethod
    def _open(self) -> None:
        """Read header and names of columns."""

    @abstractmethod
    def _rows(self, wanted: Sequence[str]) -> Iterator[Row]: ...

    @classmethod
    @abstractmethod
    def write(cls, path: Path, header: Header, columns: Sequence[str], values: Iterable[Sequence[Any]]) -> None:
        """Write a whole table to a new file."""

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        """Errors of reading as ours."""
        try:
            yield
        except UnicodeDecodeError as error:
            raise UsageError(f"{self.path}: is not UTF-8 ({error.reason}); save it as UTF-8") from None
        except OSError as error:
            raise UsageError(f"{self.path}: cannot be read: {error.strerror or error}") from None

    def _parsed(self, text: str, number: int) -> Any:
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self.fault(number, f"is no JSON ({error}); was the file cut off?") from None

    def _nested(self, wanted: Sequence[str], rows: Iterable[Row]) -> Iterator[Row]:
        """Rows with their JSON texts as what they mean."""
        nested = [at for at, name in enumerate(wanted) if name in NESTED and name in self.columns]
        for number, values in rows:
            for at in nested:
                values[at] = self._parsed(values[at], number) if values[at] else None
            yield number, values


class CsvTable(Table):
    """Texts between commas; the first line names the columns."""

    separator = ","

    def _open(self) -> None:
        with self._text(newline="") as file:
            first = file.readline()
            if first.startswith(MARK + "{"):
                self.header = self._parsed(first[len(MARK) :], 1)
                first = file.readline()
        self.separator = max(SEPARATORS, key=first.count)
        names = next(csv.reader([first], delimiter=self.separator), [])
        self.columns = tuple(name.strip().lower() for name in names)

    def _rows(self, wanted: Sequence[str]) -> Iterator[Row]:
        return self._nested(wanted, self._lines(wanted))

    def _lines(self, wanted: Sequence[str]) -> Iterator[Row]:
        places = [self.columns.index(name) if name in self.columns else None for name in wanted]
        csv.field_size_limit(CELL)
        above = 0 if self.header is None else 1
        with self._text(newline="") as file:
            lines = csv.reader(islice(file, above, None), delimiter=self.separator)
            try:
                next(lines, None)
                for cells in lines:
                    if len(cells) == len(self.columns):
                        yield lines.line_num + above, [None if at is None else cells[at] for at in places]
                    elif cells:
                        found = f"{len(cells)} cells, expected {len(self.columns)}: {', '.join(self.columns)}"
                        raise self.fault(lines.line_num + above, f"has {found}; put names with commas in quotes")
            except csv.Error as error:
                raise self.fault(lines.line_num + above, f"is no line of a csv: {error}") from None

    @classmethod
    def write(cls, path: Path, header: Header, columns: Sequence[str], values: Iterable[Sequence[Any]]) -> None:
        """See the base class."""
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(f"{MARK}{canonical_json(header)}\n")
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(_as_texts(columns, values))


class JsonlTable(Table):
    """An object a line, with the names of columns as keys."""

    def _open(self) -> None:
        with self._text() as file:
            first = self._object(file.readline() or "{}", 1)
            if first.get("format") == FORMAT:
                self.header = first
                first = self._object(file.readline() or "{}", 2)
        self.columns = tuple(first)

    def _object(self, text: str, number: int) -> dict[str, Any]:
        value = self._parsed(text, number)
        if isinstance(value, dict):
            return value
        raise self.fault(number, f"is a {type(value).__name__}, expected an object that names image and mask")

    def _rows(self, wanted: Sequence[str]) -> Iterator[Row]:
        with self._text() as file:
            for number, line in enumerate(file, 1):
                if (number > 1 or self.header is None) and not line.isspace():
                    yield number, list(map(self._object(line, number).get, wanted))

    @classmethod
    def write(cls, path: Path, header: Header, columns: Sequence[str], values: Iterable[Sequence[Any]]) -> None:
        """See the base class; what is None is left out."""
        with path.open("w", encoding="utf-8") as file:
            file.write(canonical_json(header) + "\n")
            for row in values:
                named = zip(columns, row, strict=True)
                file.write(canonical_json({name: value for name, value in named if value is not None}) + "\n")


class ParquetTable(Table):
    """Columns by groups of rows, compressed."""

    place = "row"

    def _open(self) -> None:
        from pyarrow.parquet import ParquetFile

        with self._sound(), self._bytes() as data, ParquetFile(data) as file:
            self.columns = tuple(file.schema_arrow.names)
            said = (file.schema_arrow.metadata or {}).get(FORMAT.encode())
            self.header = None if said is None else self._parsed(said.decode(), 0)

    def _rows(self, wanted: Sequence[str]) -> Iterator[Row]:
        return self._nested(wanted, self._groups(wanted))

    def _groups(self, wanted: Sequence[str]) -> Iterator[Row]:
        from pyarrow.parquet import ParquetFile

        number = 0
        with self._sound(), self._bytes() as data, ParquetFile(data, pre_buffer=False) as file:
            known = [name for name in wanted if name in self.columns]
            for group in file.iter_batches(batch_size=GROUP, columns=known, use_threads=False):
                none = [None] * group.num_rows
                for values in zip(
                    *(group.column(name).to_pylist() if name in known else none for name in wanted), strict=True
                ):
                    number += 1
                    yield number, list(values)

    @contextlib.contextmanager
    def _sound(self) -> Iterator[None]:
        from pyarrow import ArrowException

        try:
            yield
        except ArrowException as error:
            raise UsageError(f"{self.path}: is no sound parquet file: {error}") from None

    @classmethod
    def write(cls, path: Path, header: Header, columns: Sequence[str], values: Iterable[Sequence[Any]]) -> None:
        """See the base class; the column `size` holds numbers, the others texts."""
        import pyarrow
        from pyarrow.parquet import ParquetWriter

        fields = [(name, pyarrow.int64() if name == "size" else pyarrow.string()) for name in columns]
        schema = pyarrow.schema(fields, metadata={FORMAT: canonical_json(header)})
        with ParquetWriter(path, schema, compression="zstd") as writer:
            rows = _as_texts(columns, values)
            while group := list(islice(rows, GROUP)):
                arrays = [
                    pyarrow.array(column, kind)
                    for column, (_, kind) in zip(zip(*group, strict=True), fields, strict=True)
                ]
                writer.write_batch(pyarrow.record_batch(arrays, schema=schema))


KINDS: Mapping[str, type[Table]] = {".parquet": ParquetTable, ".csv": CsvTable, ".jsonl": JsonlTable}


def open_table(path: Place) -> Table:
    """Look at the beginning of a table.

    Raises:
        UsageError: it is not there, is of another kind, or begins with nothing that makes sense.
    """
    kind = kind_of(path)
    if not looking.is_file(path):
        raise UsageError(no_such(path, "the listing file"))
    return kind(path)


def write_table(path: Place, header: Header, columns: Sequence[str], values: Iterable[Sequence[Any]]) -> None:
    """Write a table in one step; equal bytes for equal values.

    Args:
        path: ends in .csv, .jsonl or .parquet.
        header: JSON-able.
        columns: their names.
        values: the rows, taken one at a time.

    Raises:
        DatakitError: the file's kind is none, needs an extra, or its folder cannot be written.
    """
    kind = kind_of(path)
    check_writable(path.parent, f"--out {path}")
    with replacing(path) as part:
        kind.write(part, {"format": FORMAT, **header}, columns, values)


def kind_of(path: Path) -> type[Table]:
    """What reads and writes a file of this name.

    Raises:
        UsageError: nothing does, or an extra is not installed.
    """
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"{path}: expected a listing file, whose name ends in {', '.join(KINDS)}")
    if kind is ParquetTable:
        require("parquet", f"the listing {path}")
    return kind


def _as_texts(columns: Sequence[str], values: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
    """Rows with what is nested as JSON texts."""
    nested = [at for at, name in enumerate(columns) if name in NESTED]
    for row in values:
        cells = list(row)
        for at in nested:
            cells[at] = None if cells[at] is None else canonical_json(cells[at])
        yield cells

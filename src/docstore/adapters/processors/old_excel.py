"""Sheets of Excel 2 to 4, from before compound files (BIFF2 to BIFF4)."""

import io
from collections.abc import Iterator
from typing import Any

from docstore.adapters.processors.reading import Reading
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode


def read(data: bytes) -> Reading:
    import xlrd

    try:
        book = xlrd.open_workbook(file_contents=data, logfile=io.StringIO())
        sheets = [(sheet.name, "\n".join(_rows(sheet))) for sheet in book.sheets()]
    except MemoryError:
        raise
    except Exception as error:  # the library raises what it likes for broken files
        message = f"not a whole sheet: {str(error)[:200]}"
        raise ProcessingFailed(FailureCode.CORRUPT, message) from error
    metadata = {"sheet_names": [name for name, _ in sheets]}
    return Reading("\n\n".join(text for _, text in sheets), metadata)


def _rows(sheet: Any) -> Iterator[str]:
    for number in range(sheet.nrows):
        cells = (_cell(value) for value in sheet.row_values(number))
        if line := "\t".join(cells).rstrip():
            yield line


def _cell(value: object) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)

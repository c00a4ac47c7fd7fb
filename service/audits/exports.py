"""The report of an audit as a file: JSON, CSV, a workbook, a page, a PDF.  The same report gives the same bytes, but for a PDF.

Sign-offs, which come after a report, stand in the page and the PDF alone.  Imports service/; XlsxWriter and WeasyPrint when asked for.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rules.model import EPOCH, rfc3339
from rules.wording import day_words
from service.access import Access
from service.audits import runs as audits
from service.audits import signoffs
from service.audits.page import as_html
from service.audits.report import JUDGED, OUTCOMES, Report
from service.audits.words import Told, tell
from service.bootstrap import Service
from service.errors import Flaw, Invalid, NotPossible
from service.tables import Table, inert
from store.audits import Audit

FORMS = ("json", "csv", "xlsx", "html", "pdf")
MEDIA = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
}
NO_PDF = (
    "what makes PDFs is not installed here: install duecare[pdf] and the libraries of Pango, or take the HTML report, which prints the same"
)
MOST_CELLS = 100_000
"""Rows of a list that a workbook holds."""
LONGEST_CELL = 32_767
_NAMES = ("policy", "rule", "severity", "status", "team", "office", "month")
_SHEET = 31


@dataclass(frozen=True, slots=True)
class Export:
    """A file: its name, media type and bytes."""

    name: str
    media: str
    body: bytes


def export(svc: Service, access: Access, audit: str, form: str) -> Export:
    """The report, cut to what the caller may see, as a file.

    Raises Forbidden, NotFound, Invalid for an unknown form, and NotPossible where there is no report (yet), or where a PDF is asked for
    and what makes PDFs is not installed.
    """
    if form not in FORMS:
        raise Invalid(Flaw("form", "wrong_value", f"a report comes as {', '.join(FORMS)}"))
    makers: Mapping[str, Callable[[], bytes]] = {
        "json": lambda: audits.report_text(svc, access, audit).encode(),
        "csv": lambda: _csv(audits.report(svc, access, audit), audits.get(svc, access, audit)),
        "xlsx": lambda: _workbook(audits.report(svc, access, audit)),
        "html": lambda: _page(svc, access, audit).encode(),
        "pdf": lambda: _pdf(lambda: _page(svc, access, audit)),
    }
    body = makers[form]()
    told = audits.get(svc, access, audit)
    return Export(f"audit-{rfc3339(told.as_of)[:10]}-{audit[:8]}.{form}", MEDIA[form], body)


def _csv(report: Report, told: Audit) -> bytes:
    """The finest counts, a line each; every line says of which report it is."""
    titles = {(policy["policy"], rule["rule"]): rule["title"] for policy in report["policies"] for rule in policy["rules"]}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*_NAMES, "title", *OUTCOMES, "judged", "as_of", "known_at", "limited", "report_digest"])
    for row in report["results"]["rows"]:
        given: Mapping[str, Any] = row
        judged = sum(given[outcome] for outcome in JUDGED)
        stamp = [report["as_of"], report["known_at"], "yes" if report["limited"] else "no", told.report_digest or ""]
        names = [inert(given[name] or "") for name in _NAMES]
        writer.writerow([*names, inert(titles.get((row["policy"], row["rule"]), "")), *(given[name] for name in OUTCOMES), judged, *stamp])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _workbook(report: Report) -> bytes:
    import xlsxwriter

    told = tell(report, most=MOST_CELLS)
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        made = EPOCH + dt.timedelta(milliseconds=_instant(report))
        book.set_properties({"title": told.title, "created": made.replace(tzinfo=None)})
        bold, share = book.add_format({"bold": True}), book.add_format({"num_format": "0.0%"})
        first = book.add_worksheet("Summary")
        first.set_column(0, 0, 120)
        for number, line in enumerate((told.title, "", *told.findings, "", *told.about)):
            first.write_string(number, 0, line, bold if number == 0 else None)
        names: set[str] = set()
        for table in told.tables:
            _sheet(book.add_worksheet(_sheet_name(table.title, names)), table, bold, share)
    return out.getvalue()


def _sheet(sheet: Any, table: Table, bold: Any, share: Any) -> None:
    for column, head in enumerate(table.head):
        sheet.write_string(0, column, head, bold)
    widths = [len(head) for head in table.head]
    for number, row in enumerate(table.rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(number, column, cell[:LONGEST_CELL])
                widths[column] = max(widths[column], min(len(cell), 60))
            elif cell is not None:
                sheet.write_number(number, column, cell, share if isinstance(cell, float) else None)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width + 2)
    sheet.freeze_panes(1, 0)
    if table.rows:
        sheet.autofilter(0, 0, len(table.rows), len(table.head) - 1)
    if table.note:
        sheet.write_string(len(table.rows) + 2, 0, table.note)


def _sheet_name(title: str, taken: set[str]) -> str:
    plain = "".join(" " if letter in "[]:*?/\\" else letter for letter in title.partition(" (")[0])[:_SHEET].strip()
    name, number = plain, 1
    while name.lower() in taken:
        number += 1
        name = f"{plain[: _SHEET - 3]} {number}"
    taken.add(name.lower())
    return name


def _page(svc: Service, access: Access, audit: str) -> str:
    report = audits.report(svc, access, audit)
    told: Told = tell(report)
    zone = svc.policies.policies[0].zone
    signed = [(one, day_words(dt.date.fromordinal(zone.day_of(one.at)).isoformat())) for one in signoffs.signatures(svc, access, audit)]
    return as_html(told, digest=audits.get(svc, access, audit).report_digest or "", signed=signed)


def _pdf(page: Callable[[], str]) -> bytes:
    try:
        from weasyprint import HTML
    except (ImportError, OSError):
        raise NotPossible(NO_PDF) from None
    made: bytes = HTML(string=page(), url_fetcher=_nothing).write_pdf()
    return made


def _nothing(url: str, *_args: object, **_options: object) -> Any:
    """A report fetches nothing."""
    raise ValueError(f"a report fetches nothing, not even {url[:40]}")


def _instant(report: Report) -> int:
    when = dt.datetime.fromisoformat(report["as_of"])
    return int(when.timestamp() * 1000)

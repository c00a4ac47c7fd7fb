"""The report of an audit as a file: JSON, CSV, a workbook, a page, a PDF.  Imports service/; openpyxl and weasyprint when asked for."""

from __future__ import annotations

from dataclasses import dataclass

from service.access import Access
from service.bootstrap import Service

FORMS = ("json", "csv", "xlsx", "html", "pdf")


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
    raise NotImplementedError

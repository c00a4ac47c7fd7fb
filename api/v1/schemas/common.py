"""Words that all shapes share.  See the package."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"}, description="RFC 3339, UTC")]
Day = Annotated[str, Field(json_schema_extra={"format": "date"}, description="local day of the policy's time zone")]
Severity = Literal["critical", "high", "medium", "low", "advisory"]
Condition = Literal["open", "remedied", "withdrawn", "excused"]
Review = Literal["new", "acknowledged", "upheld", "dismissed"]
Outcome = Literal["met", "late", "breached", "due_soon", "pending", "not_applicable", "excused", "unknown"]
NextCursor = Annotated[str | None, Field(description="give it as `cursor` to go on; null: this was the last page")]

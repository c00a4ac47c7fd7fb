"""How the verdicts spread, counted ahead: pages about rates would have to read every verdict else.  Imports base only."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import Base, Serial


class VerdictTallyRow(Base):
    """So many verdicts are alike.  All rows are of one count, whose instant is in ``TallyStateRow``.

    ``span``: the month of the due day, ``YYYY-MM``, where that day was over; else one of ``earlier``, ``ahead`` and ``none``.
    ``cause``: why something is unknown or does not apply, without its particulars.
    ``timing``: a code of ``store.tallies.EDGES`` for what was done by a due day or after it.
    """

    __tablename__ = "verdict_tally"

    id: Mapped[Serial]
    policy: Mapped[str]
    rule: Mapped[str]
    severity: Mapped[str]
    status: Mapped[str]
    team: Mapped[str | None]
    office: Mapped[str | None]
    span: Mapped[str]
    verdict: Mapped[str]
    cause: Mapped[str]
    timing: Mapped[int | None]
    number: Mapped[int]


class TallyStateRow(Base):
    """The one row about the count: when it was made, how long it took, the last change that it knows, and who is at a new one."""

    __tablename__ = "tally_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    counted_at: Mapped[int | None]
    took: Mapped[int]
    """ms."""
    seen: Mapped[int]
    """``changed_at`` of the verdict that had changed last."""
    claimed_until: Mapped[int | None]

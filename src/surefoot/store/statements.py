"""The SQL of the hot path as text: made from the tables by SQLAlchemy, once per database, and then reused as it is.

Building a statement costs more than running it, so the writer works with text and positional values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Dialect, Table, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.sql.elements import BindParameter, ColumnElement

from surefoot.records.units import DIMENSIONS
from surefoot.store import schema

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite
    from sqlalchemy.sql import ClauseElement

    Insert = Callable[[Table], sqlite.Insert | postgresql.Insert]

T = TypeVar("T")
_MANY = 256  # the longest list in one statement

RESERVATION_FIELDS = (
    "id", "request_id", "at_ns", "tenant", "key_id", "feature", "rung", "provider", "model", "nanodollars", "limits",
)  # fmt: skip


class Statements:
    """Compiled statements for one database. Values are given in the order of the table's columns."""

    def __init__(self, dialect: Dialect, insert: Insert) -> None:
        self._dialect, self._insert = dialect, insert
        self.shared = dialect.name == "postgresql"  # whether other processes may write meanwhile
        self._lists: dict[tuple[str, int], str] = {}
        self.chain = self._add(schema.chains)
        self.journal = self._add(schema.journal)
        self.contents = self._add(schema.contents)
        self.ledger = self._add(schema.ledger, leave="id")
        self.cases = self._add(schema.cases)
        self.reservations = self._add(schema.reservations, leave="booked_at_ns")
        self.new_subjects = self._unless_there(schema.subjects, leave="destroyed_at_ns")
        self.warnings = self._unless_there(schema.budget_warnings)
        self.new_rates = self._unless_there(schema.rates)
        self.new_budgets = self._unless_there(schema.budgets)
        self.settings = self._unless_there(schema.settings)
        self.new_epochs = self._unless_there(schema.cache_epochs)
        self.policies = self._unless_there(schema.policies)
        self.labels = self._unless_there(schema.labels)
        self.incidents = self._unless_there(schema.incidents)
        self.hooks = self._unless_there(schema.hooks)
        self.revenue = self._unless_there(schema.revenue)
        self.new_series = self._unless_there(schema.series, leave="id")
        self.series_id = self._series_id()  # values: as of a new series
        self.daily_costs = self._added_up(schema.daily_costs)
        self.daily_requests = self._added_up(schema.daily_requests)
        self.histograms = self._added_up(schema.histograms)
        self.near_maps = self._unless_there(schema.near_maps)
        self.cache = self._put_cache()
        self.cached = self._get_cache()  # values: tenant, feature, fingerprint
        self.set_budgets = self._set_budgets()  # values: spent, reserved, scope, window
        self.drop_reservations = self._text(
            delete(schema.reservations).where(schema.reservations.c.id == bindparam("value"))
        )

    def subjects(self, names: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
        """(statement, values) that read (subject, generation, wrapped key, created_at_ns) of newest keys, destroyed or not."""
        for some in _chunks(names):
            yield self._list("subjects", len(some), _subjects), some

    def held(self, ids: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
        """(statement, values) that read and lock reservations, in the order of their ids: RESERVATION_FIELDS, booked_at_ns."""
        for some in _chunks(ids):
            yield self._list("held", len(some), _held), some

    def budgets(self, names: Sequence[tuple[str, str]]) -> Iterator[tuple[str, Sequence[str]]]:
        """(statement, values) that read and lock (scope, window, spent, reserved), in the order of their names."""
        for some in _chunks(names):
            flat = [part for name in some for part in name]
            yield self._list("budgets", len(some), _budgets), flat

    def _list(self, name: str, count: int, build: Callable[[int], ClauseElement]) -> str:
        known = self._lists.get((name, count))
        if known is None:
            known = self._lists[name, count] = self._text(build(count))
        return known

    def _add(self, table: Table, *, leave: str = "") -> str:
        values = _values(table, leave)
        return self._text(table.insert().inline().values(values))

    def _unless_there(self, table: Table, *, leave: str = "") -> str:
        values = _values(table, leave)
        return self._text(self._insert(table).inline().values(values).on_conflict_do_nothing())

    def _added_up(self, table: Table) -> str:
        """What is given is added to what stands there."""
        added = self._insert(table).inline().values(_values(table, ""))
        sums = {column.name: column + added.excluded[column.name] for column in table.c if not column.primary_key}
        return self._text(added.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=sums))

    def _series_id(self) -> str:
        table = schema.series.c
        same = [table[name] == bindparam(f"of_{name}") for name in DIMENSIONS]
        return self._text(select(table.id).where(*same))

    def _put_cache(self) -> str:
        """A newer answer replaces an older one, but never one of a newer epoch."""
        table = schema.cache
        added = self._insert(table).inline().values(_values(table, ""))
        kept = {column.name: added.excluded[column.name] for column in table.c if not column.primary_key}
        return self._text(
            added.on_conflict_do_update(
                index_elements=list(table.primary_key.columns),
                set_=kept,
                where=table.c.epoch <= added.excluded.epoch,
            )
        )

    def _get_cache(self) -> str:
        """An entry's columns, then the epoch that counts now and the key it is sealed under; both may be NULL.

        The vector is left out.
        """
        table, epochs, subjects = schema.cache, schema.cache_epochs, schema.subjects
        of_feature = and_(epochs.c.tenant == table.c.tenant, epochs.c.feature == table.c.feature)
        of_subject = and_(subjects.c.subject == table.c.subject, subjects.c.generation == table.c.generation)
        both = table.outerjoin(epochs, of_feature).outerjoin(subjects, of_subject)
        columns = (column for column in table.c if column.name != "near")
        wanted = select(*columns, epochs.c.epoch, subjects.c.wrapped_key).select_from(both)
        names = ("tenant", "feature", "fingerprint")
        return self._text(wanted.where(*(table.c[name] == bindparam(f"of_{name}") for name in names)))

    def _set_budgets(self) -> str:
        table = schema.budgets
        changed = update(table).values(spent=bindparam("new_spent"), reserved=bindparam("new_reserved"))
        return self._text(
            changed.where(table.c.scope == bindparam("of_scope"), table.c.window == bindparam("of_window"))
        )

    def _text(self, statement: ClauseElement) -> str:
        return str(statement.compile(dialect=self._dialect))


def _values(table: Table, leave: str) -> dict[str, BindParameter[object]]:
    return {column.name: bindparam(column.name) for column in table.c if column.name != leave}


# These are built once a length: to build one takes longer than to run it.


def _subjects(count: int) -> ClauseElement:
    subjects, any_ = schema.subjects.c, schema.subjects.alias()
    newest = select(func.max(any_.c.generation)).where(any_.c.subject == subjects.subject).scalar_subquery()
    wanted = select(subjects.subject, subjects.generation, subjects.wrapped_key, subjects.created_at_ns)
    return wanted.where(subjects.generation == newest, subjects.subject.in_(_marks(count)))


def _held(count: int) -> ClauseElement:
    table = schema.reservations.c
    wanted = select(*(table[name] for name in (*RESERVATION_FIELDS, "booked_at_ns"))).order_by(table.id)
    return wanted.with_for_update().where(table.id.in_(_marks(count)))


def _budgets(count: int) -> ClauseElement:
    table, marks = schema.budgets.c, _marks(2 * count)
    pairs = zip(marks[::2], marks[1::2], strict=True)
    wanted = select(table.scope, table.window, table.spent, table.reserved).order_by(table.scope, table.window)
    any_of = (and_(table.scope == scope, table.window == window) for scope, window in pairs)
    return wanted.with_for_update().where(or_(*any_of))


def _marks(count: int) -> list[ColumnElement[str]]:
    return [bindparam(f"value_{index}", type_=schema.reservations.c.id.type) for index in range(count)]


def _chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in lists of a power of two, the last one repeated: few lengths, so few statements to prepare."""
    for start in range(0, len(values), _MANY):
        some = list(values[start : start + _MANY])
        room = 1 << (len(some) - 1).bit_length()
        yield some + [some[-1]] * (room - len(some))

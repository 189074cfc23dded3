"""Listings: what is asked decides the statement, which is built once for each kind of question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    ColumnElement,
    Integer,
    Select,
    String,
    Uuid,
    and_,
    bindparam,
    func,
    literal,
    select,
    tuple_,
)

from docstore.adapters.persistence.sql.functions import has_element, position
from docstore.adapters.persistence.sql.tables import OF_FILES, UNPROCESSED, files, is_in, jobs
from docstore.domain.lifecycle import FileStatus, JobStatus
from docstore.domain.listing import FileQuery, Place, Sort
from docstore.domain.searching import folded

_owner = bindparam("owner", type_=Uuid)
_limit = bindparam("limit", type_=Integer)
_offset = bindparam("offset", type_=BigInteger)  # pages are counted beyond what 32 bits hold
_at_most = bindparam("at_most", type_=Integer)
# A name has no line break, and is the first line of what is searched.
_name = func.substr(
    files.c.search_text, 1, position(files.c.search_text + literal("\n"), literal("\n")) - 1
)

# Not LIKE: nothing that people look for has a meaning of its own here.
_RULES: Final[Mapping[str, ColumnElement[bool]]] = {
    "media_type": files.c.media_type == bindparam("media_type"),
    "kind": and_(
        files.c.media_type >= bindparam("kind"), files.c.media_type < bindparam("beyond_kind")
    ),
    "tag": has_element(files.c.tags, bindparam("tag", type_=String)),
    "filename": position(_name, bindparam("filename", type_=String)) > 0,
    "uploaded_after": files.c.uploaded_at >= bindparam("uploaded_after"),
    "uploaded_before": files.c.uploaded_at < bindparam("uploaded_before"),
}
_SORTED_BY: Final[Mapping[str, Column[Any]]] = {
    "uploaded_at": files.c.uploaded_at,
    "filename": files.c.original_filename,
    "size": files.c.size,
}


@dataclass(frozen=True, slots=True)
class Kind:
    """All queries for files that one statement answers, with other values."""

    rules: frozenset[str]
    words: int
    status: FileStatus | None


def kind_of(query: FileQuery) -> Kind:
    rules = frozenset(name for name in _values(query) if name in _RULES)
    return Kind(rules, len(query.words), query.status)


def values_of(query: FileQuery) -> dict[str, Any]:
    """What the statement for the query's kind is told."""
    return {**_values(query), **{f"word{n}": word for n, word in enumerate(query.words)}}


def _values(query: FileQuery) -> dict[str, Any]:
    found = {
        "tag": query.tag,
        "filename": folded(query.filename) if query.filename else None,
        "uploaded_after": query.uploaded_after,
        "uploaded_before": query.uploaded_before,
    }
    if query.media_type and query.media_type.endswith("/*"):
        kind = query.media_type.removesuffix("*")
        found |= {"kind": kind, "beyond_kind": kind.replace("/", "0")}  # what comes after `/`
    else:
        found["media_type"] = query.media_type
    return {name: value for name, value in found.items() if value is not None}


@lru_cache(256)
def files_of(kind: Kind, sort: Sort, *, is_after: bool, from_end: bool = False) -> Select[Any]:
    """A stretch of a listing; `from_end`: its offset is counted from the end."""
    key = (_SORTED_BY[sort.field], files.c.id)
    return _stretch(key, _rules_of_files(kind), sort.is_descending, is_after, from_end)


@lru_cache(256)
def count_of_files(kind: Kind, *, is_bounded: bool) -> Select[Any]:
    return _count(files.c.id, _rules_of_files(kind), is_bounded)


@lru_cache
def jobs_of(status: JobStatus | None, *, is_after: bool) -> Select[Any]:
    return _stretch(
        (jobs.c.queued_at, jobs.c.id),
        _rules_of_jobs(status),
        is_descending=True,
        is_after=is_after,
        from_end=False,
    )


@lru_cache
def count_of_jobs(status: JobStatus | None, *, is_bounded: bool) -> Select[Any]:
    return _count(jobs.c.id, _rules_of_jobs(status), is_bounded)


def start_of(offset: int, after: Place | None) -> dict[str, Any]:
    """Where a stretch begins, as its statement is told."""
    if after is None:
        return {"offset": offset}
    return {"offset": offset, "after_value": after.value, "after_id": after.id}


def _rules_of_files(kind: Kind) -> Sequence[ColumnElement[bool]]:
    rules = [files.c.user_id == _owner, *(_RULES[name] for name in sorted(kind.rules))]
    for number in range(kind.words):
        rules.append(position(files.c.search_text, _word(number)) > 0)
    if kind.status is not None:
        rules.append(is_in(files.c.status, kind.status))
    if kind.status not in (None, FileStatus.PROCESSED):
        rules.append(UNPROCESSED)  # which changes nothing but the plan
    return rules


def _word(number: int) -> BindParameter[str]:
    return bindparam(f"word{number}", type_=String)


def _rules_of_jobs(status: JobStatus | None) -> Sequence[ColumnElement[bool]]:
    rules = [jobs.c.user_id == _owner, OF_FILES]
    return rules if status is None else [*rules, is_in(jobs.c.status, status)]


def _stretch(
    key: tuple[Column[Any], Column[Any]],
    rules: Sequence[ColumnElement[bool]],
    is_descending: bool,
    is_after: bool,
    from_end: bool,
) -> Select[Any]:
    value, ident = key
    # Where an index gives the order it answers the inner question alone: no row is read only to
    # be skipped.
    ids = select(ident).where(*rules).order_by(*_order(key, is_descending is not from_end))
    if is_after:
        start = tuple_(
            bindparam("after_value", type_=value.type), bindparam("after_id", type_=Uuid)
        )
        ids = ids.where(tuple_(*key) < start if is_descending else tuple_(*key) > start)
    ids = ids.limit(_limit).offset(_offset)
    return select(ident.table).where(ident.in_(ids)).order_by(*_order(key, is_descending))


def _order(key: Sequence[Column[Any]], is_descending: bool) -> Sequence[ColumnElement[Any]]:
    return [column.desc() if is_descending else column.asc() for column in key]


def _count(
    ident: Column[Any], rules: Sequence[ColumnElement[bool]], is_bounded: bool
) -> Select[Any]:
    found = select(ident).where(*rules)
    if is_bounded:
        found = found.limit(_at_most)
    return select(func.count()).select_from(found.subquery())

"""Long lists in pages: each names where the next begins, by the last row and not by a number.

Rows that come in meanwhile move nothing: no row is given twice, and none is left out.
"""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from django.db.models import Q, QuerySet
from ninja import Query

from annotation.rest_problems import Problem

MOST = 1000
USUAL = 100
Read = Callable[[str], Any]


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("found a time without its zone")
    return found.astimezone(UTC)


def _number(text: str) -> int:
    found = int(text)
    if not 0 <= found < 2**63:
        raise ValueError("found a number that no row has")
    return found


BY_TIME: tuple[Read, Read] = (_moment, UUID)
BY_NUMBER: tuple[Read] = (_number,)


Limit = Annotated[int, Query(ge=1, le=MOST, description="Rows on a page.")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=r"^[-_A-Za-z0-9]+$",
        description="`next` of the page before; left out: the first page.",
    ),
]


def page_of(
    rows: QuerySet[Any],
    keys: Sequence[str],
    read: Sequence[Read],
    cursor: str | None,
    limit: int,
    *,
    newest_first: bool = False,
) -> tuple[list[Any], str | None]:
    """Up to `limit` rows in the order of `keys`, after the cursor; and the next page's cursor.

    The last of the keys is unique. `read` makes each key's value of its text.
    """
    if cursor is not None:
        rows = rows.filter(_after(keys, _opened(cursor, read), newest_first))
    found = list(rows.order_by(*(f"-{key}" if newest_first else key for key in keys))[: limit + 1])
    if len(found) <= limit:
        return found, None
    return found[:limit], _closed([getattr(found[limit - 1], key) for key in keys])


def _after(keys: Sequence[str], values: Sequence[Any], newest_first: bool) -> Q:
    """(a, b) > (x, y), as one bound that an index can use and the exact rule beside it."""
    word = "lt" if newest_first else "gt"
    first, last = keys[0], keys[-1]
    if len(keys) == 1:
        return Q(**{f"{first}__{word}": values[0]})
    beyond = Q(**{f"{first}__{word}": values[0]})
    beside = Q(**{first: values[0], f"{last}__{word}": values[-1]})
    return Q(**{f"{first}__{word}e": values[0]}) & (beyond | beside)


def _closed(values: Sequence[Any]) -> str:
    text = json.dumps([v.isoformat() if isinstance(v, datetime) else str(v) for v in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _opened(cursor: str, read: Sequence[Read]) -> list[Any]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return [reads(word) for reads, word in zip(read, json.loads(text), strict=True)]
    except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError):
        raise Problem(422, "Found a cursor that is none; expected `next` of a page.") from None

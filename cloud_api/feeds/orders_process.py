"""Reads an export of orders in a process of its own, so that the API answers while some 100 MB are parsed.

In come the export's file and, on standard input, what is known of the town; out come, on standard output, the closures
that the orders mean. Run as `python -m cloud_api.feeds.orders_process EXPORT`; it has no connection and writes nothing.
"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from cloud_api.apart import ApartError, ask_apart, read_question
from cloud_api.feeds.dialog import read_orders
from cloud_api.feeds.lots import FeedError
from cloud_api.feeds.order_closures import Plan, plan
from cloud_api.registry import Registry
from cloud_api.registry.contradictions import Tables

MODULE: Final = "cloud_api.feeds.orders_process"


class Question(Struct, frozen=True, kw_only=True):
    """What the closures depend on beside the export."""

    town: Tables
    source: str
    time_zone: str
    within_m: float
    now: datetime


class Answer(Struct, frozen=True, kw_only=True, tag=True):
    """What the orders mean."""

    plan: Plan
    orders: int
    """How many forbid to park for a time."""
    refused: int
    """How many could not be understood."""


class Unreadable(Struct, frozen=True, tag=True):
    """Why an export cannot be read: the parts of a `FeedError`."""

    place: str
    expected: str


async def plan_apart(export: Path, question: Question) -> Answer:
    """The closures that an export means; the process ends with the task that waits for it. Raises `FeedError`."""
    try:
        out = await ask_apart(MODULE, msgspec.json.encode(question), str(export))
    except ApartError as error:
        raise FeedError("the reading process", f"an answer ({error})") from error
    answer = msgspec.json.decode(out, type=Answer | Unreadable)
    if isinstance(answer, Unreadable):
        raise FeedError(answer.place, answer.expected)
    return answer


def answer_to(export: Path, question: Question) -> Answer | Unreadable:
    """The same, here and now."""
    zone = ZoneInfo(question.time_zone)
    try:
        with export.open("rb") as stream:
            orders = read_orders(stream, zone)
    except FeedError as error:
        return Unreadable(error.place, error.expected)
    planned = plan(
        Registry(**msgspec.structs.asdict(question.town)),
        orders,
        source=question.source,
        now=question.now,
        zone=zone,
        within_m=question.within_m,
    )
    return Answer(plan=planned, orders=len(orders.orders), refused=len(orders.refused))


def main() -> None:
    """Answer the question on standard input."""
    question = msgspec.json.decode(read_question(), type=Question)
    sys.stdout.buffer.write(msgspec.json.encode(answer_to(Path(sys.argv[1]), question)))


if __name__ == "__main__":
    main()

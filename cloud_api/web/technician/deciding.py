"""A change, from the first tap to the last: shown before it is made, made once however often it is sent.

In comes what somebody wants as an `Action` of provisioning. Unless he has confirmed it, out comes a page that says what
it will change; then the change itself, and the way on. A form that is sent again while its number is remembered gets
the first answer; afterwards the version that it was made for no longer fits, so it changes nothing either.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from fastapi import Request
from starlette.datastructures import FormData
from starlette.responses import Response

from cloud_api.access import Caller
from cloud_api.provisioning.carrying_out import Action, Seen, carry_out
from cloud_api.provisioning.fitting import Told, fitting
from cloud_api.provisioning.plan import NotPossibleError
from cloud_api.registry.radio_keys import RadioKeys
from cloud_api.registry.refusals import ChangedMeanwhileError, RefusedChangeError
from cloud_api.web.technician.changes import plan_lines, why_not
from cloud_api.web.technician.hearing import age
from cloud_api.web.technician.once import Once
from cloud_api.web.technician.room import Room, words_for

UNSHOWN: Final = frozenset({"confirmed", "request"})


class WrongInputError(Exception):
    """A form holds what cannot be: which field, and what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to be changed."""

    title: str
    action: Action
    seen: Seen
    """The entry that he saw; where it is another now, he looks again."""
    back: str
    """The page that he came from, from the root."""
    onward: str
    """The page for afterwards."""
    draft: str = ""
    """The name under which his telephone keeps what he typed."""
    keys: Mapping[str, RadioKeys] = field(default_factory=dict)


class Deciding:
    """Guards that one form changes something once. Belongs to the event loop."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._once: Once[None] = Once()

    async def answer(self, request: Request, caller: Caller, form: FormData, wish: Wish) -> Response:
        """The page that asks to confirm; or the change, and the way on; or why it cannot be."""
        try:
            if form.get("confirmed"):
                await self._once.do(caller, form, lambda: self._carry_out(caller, wish))
                return self._room.go(request, wish.onward)
            return await self._ask(request, form, wish)
        except NotPossibleError as error:
            return self._refuse(request, wish, why_not(self._room.services.registry, error, words_for(request)))
        except ChangedMeanwhileError as error:
            return self._refuse(request, wish, await self._who_changed(request, error))
        except (RefusedChangeError, WrongInputError) as error:
            reason = words_for(request).refused_change.format(reason=str(error))
            return self._refuse(request, wish, reason)

    async def _ask(self, request: Request, form: FormData, wish: Wish) -> Response:
        view = await asyncio.to_thread(self._room.services.registry_store.view)
        version = view.versions.get((wish.seen.kind, wish.seen.key), 0)
        if version != wish.seen.version:
            raise ChangedMeanwhileError(wish.seen.kind, wish.seen.key, wish.seen.version, version)
        plan = self._action(wish)(view.registry)
        lines = plan_lines(view.registry, plan, words_for(request), self._room.services.settings.time_zone)
        return self._room.page(
            request,
            "decide.html",
            wish=wish,
            lines=lines,
            action=request.scope["path"].rpartition("/")[2],
            fields=[(name, value) for name, value in form.multi_items() if name not in UNSHOWN],
            request_number=secrets.token_hex(8),
        )

    def _action(self, wish: Wish) -> Action:
        """What is wanted, held against what gateways have said that they can."""
        known = self._room.services.gateways
        told = Told(dict(known.models), dict(known.status))
        return lambda town: fitting(wish.action(town), town, told)

    def _refuse(self, request: Request, wish: Wish, reason: str) -> Response:
        return self._room.page(request, "refused.html", status=HTTPStatus.CONFLICT, wish=wish, reason=reason)

    async def _carry_out(self, caller: Caller, wish: Wish) -> None:
        services = self._room.services
        await asyncio.to_thread(
            carry_out,
            services.registry_store,
            self._action(wish),
            by=caller.who,
            at=services.clock(),
            seen=wish.seen,
            keys=wish.keys,
        )

    async def _who_changed(self, request: Request, error: ChangedMeanwhileError) -> str:
        words, services = words_for(request), self._room.services
        trail = await asyncio.to_thread(services.registry_store.trail, key=error.key, limit=1)
        if not trail:
            return words.changed_meanwhile
        return words.changed_by.format(who=trail[0].who, age=age(trail[0].at, words, services.clock()))


def seen_in(form: FormData) -> int:
    """The version of the entry that the form was written for; 0 where it was not there."""
    text = str(form.get("seen", "0"))
    return int(text) if text.isdecimal() else 0

"""Asks BlueZ for its adapters and their power. In comes an adapter's name, out comes one finding; it scans nothing."""

import asyncio

from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus

from edge.drivers.links.ble import BLUEZ_ERRORS, LOSS_ADVICE, PLUG_IN, SWITCH_ON
from edge.drivers.links.bluez_watch import ADAPTER, BUS_ENDED
from edge.findings import Finding, ok, wrong

ANSWER_S = 5.0
LIST = Message(
    destination="org.bluez", path="/", interface="org.freedesktop.DBus.ObjectManager", member="GetManagedObjects"
)


def probe(what: str, adapter: str | None) -> Finding:
    """Whether there is an adapter of that name (`hci0`; None: any) that is switched on."""
    try:
        answer = asyncio.run(_ask())
    except TimeoutError:
        return wrong(what, f"bluetoothd does not answer within {ANSWER_S:g} s", "systemctl restart bluetooth")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        return wrong(what, f"the system's message bus cannot be reached: {reason}", LOSS_ADVICE[BUS_ENDED])
    if answer.message_type is MessageType.ERROR:
        unknown = f"BlueZ refuses: {answer.error_name}", "journalctl -u bluetooth says why"
        return wrong(what, *BLUEZ_ERRORS.get(answer.error_name or "", unknown))
    return _judge(what, adapter, _power_by_name(answer))


async def _ask() -> Message:
    """BlueZ's list of everything. Raises `OSError`, `ValueError` or `TimeoutError`."""
    async with asyncio.timeout(ANSWER_S):
        bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        try:
            answer = await bus.call(LIST)
        finally:
            bus.disconnect()
    if answer is None:
        raise OSError("the bus ended")
    return answer


def _power_by_name(answer: Message) -> dict[str, bool]:
    """Whether each adapter is switched on, by BlueZ's name of it."""
    (objects,) = answer.body
    return {
        path.rsplit("/", 1)[-1]: bool(interfaces[ADAPTER]["Powered"].value)
        for path, interfaces in objects.items()
        if ADAPTER in interfaces
    }


def _judge(what: str, adapter: str | None, powered: dict[str, bool]) -> Finding:
    wanted = {name: on for name, on in powered.items() if adapter in (None, name)}
    if not wanted:
        missing = "no Bluetooth adapter" if adapter is None else f"no Bluetooth adapter {adapter}"
        there = f"; there is {', '.join(sorted(powered))}" if powered else ""
        return wrong(what, missing + there, PLUG_IN)
    if not any(wanted.values()):
        return wrong(what, f"{', '.join(sorted(wanted))} is switched off", SWITCH_ON)
    return ok(what, f"{', '.join(name for name, on in sorted(wanted.items()) if on)} is switched on")

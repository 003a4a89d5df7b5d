"""Tells when BlueZ goes away: the message bus, bluetoothd, the adapter or its power. bleak's scanner just falls silent.

In come D-Bus signals of the adapter and of the name `org.bluez`, out goes the first reason why nothing will be heard.
It must never look at a device: who passes by is nobody's business.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus

ADAPTER = "org.bluez.Adapter1"
MATCHES = (
    "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='org.bluez'",
    f"type='signal',sender='org.bluez',member='PropertiesChanged',arg0='{ADAPTER}'",
    "type='signal',sender='org.bluez',member='InterfacesRemoved'",
)

BUS_ENDED = "the message bus ended"
BLUETOOTHD_ENDED = "bluetoothd ended"
ADAPTER_GONE = "the Bluetooth adapter was removed"
POWERED_OFF = "the Bluetooth adapter was switched off"


@asynccontextmanager
async def bluez_watched(adapter: str | None, lost: Callable[[str], None]) -> AsyncIterator[None]:
    """While inside, `lost` is called with a reason when `adapter` (`hci0`; None: any) can no longer be scanned.

    Raises `OSError` when there is no system bus, `ValueError` when its address makes no sense or it lets nobody in.
    """
    bus = MessageBus(bus_type=BusType.SYSTEM)
    await bus.connect()
    bus.add_message_handler(partial(_notice, adapter, lost))
    end = asyncio.create_task(_tell_end(bus, lost))
    try:
        for rule in MATCHES:
            await bus.call(_add_match(rule))
        yield
    finally:
        bus.disconnect()
        await end


def _notice(adapter: str | None, lost: Callable[[str], None], signal: Message) -> None:
    reason = _loss(signal, adapter) if signal.message_type is MessageType.SIGNAL else None
    if reason is not None:
        lost(reason)


def _loss(signal: Message, adapter: str | None) -> str | None:
    """Why this signal means that the adapter is lost, or None."""
    match signal.member, signal.body:
        case "NameOwnerChanged", ["org.bluez", _, ""]:
            return BLUETOOTHD_ENDED
        case "PropertiesChanged", ["org.bluez.Adapter1", changed, _] if _is(adapter, signal.path):
            powered = changed.get("Powered")
            return POWERED_OFF if powered is not None and not powered.value else None
        case "InterfacesRemoved", [path, interfaces] if ADAPTER in interfaces and _is(adapter, path):
            return ADAPTER_GONE
    return None


def _is(adapter: str | None, path: str | None) -> bool:
    return adapter is None or path == f"/org/bluez/{adapter}"


async def _tell_end(bus: MessageBus, lost: Callable[[str], None]) -> None:
    with suppress(OSError, EOFError):
        await bus.wait_for_disconnect()
    lost(BUS_ENDED)


def _add_match(rule: str) -> Message:
    return Message(
        destination="org.freedesktop.DBus",
        path="/org/freedesktop/DBus",
        interface="org.freedesktop.DBus",
        member="AddMatch",
        signature="s",
        body=[rule],
    )

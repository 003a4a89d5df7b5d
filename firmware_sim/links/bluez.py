"""A stand-in for BlueZ, where there is no radio: advertisements go in, D-Bus signals come out.

It is no Bluetooth: no packet is sent or received. What a scanner sees is real, though: a real message bus, BlueZ's own
object paths, interfaces, errors and signals, so that an unmodified BlueZ client cannot tell the difference. It must
never take the name `org.bluez` on a machine's own system bus: give it a private one (`start_private_bus`).
Source: BlueZ, doc/org.bluez.Adapter.rst, org.bluez.Device.rst, org.bluez.AdvertisementMonitorManager.rst.
"""

import asyncio
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from xml.sax.saxutils import escape

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

BTHOME_UUID = "0000fcd2-0000-1000-8000-00805f9b34fb"
"""Service UUID of BTHome v2."""

ADAPTER_PATH = "/org/bluez/hci0"
ADAPTER = "org.bluez.Adapter1"
DEVICE = "org.bluez.Device1"
MONITOR = "org.bluez.AdvertisementMonitor1"
MONITOR_MANAGER = "org.bluez.AdvertisementMonitorManager1"
OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
PROPERTIES = "org.freedesktop.DBus.Properties"
SERVICE_DATA_16 = 0x16
"""AD type of service data under a 16-bit UUID."""

MATCHES = (
    "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'",
    f"type='signal',interface='{OBJECT_MANAGER}',member='InterfacesAdded'",
)
BUS_CONFIGURATION = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>custom</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
MAX_SOCKET_PATH = 107
"""Bytes of a path that a Unix socket address holds."""
STOP_WITHIN_S = 5
NAME_WITHOUT_QUEUE = 4
"""RequestName flag DBUS_NAME_FLAG_DO_NOT_QUEUE."""
NAME_IS_OURS = 1
"""RequestName answer DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER."""

Properties = dict[str, Variant]
Pattern = tuple[int, int, bytes]
"""Start position, AD type and content that an advertisement must have there."""


class BusError(Exception):
    """A private message bus that could not be started, and why."""


@dataclass(frozen=True, slots=True)
class PrivateBus:
    """A `dbus-daemon` of our own that only this user can reach."""

    address: str
    """What `DBUS_SYSTEM_BUS_ADDRESS` must say for a program to take it for the system bus."""
    process: subprocess.Popen[str]

    def stop(self) -> None:
        """End the daemon; every connection to it is cut."""
        self.process.terminate()
        try:
            self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


def start_private_bus(folder: Path) -> PrivateBus:
    """A message bus with its socket and configuration in `folder`; needs no privilege. Raises `BusError`."""
    daemon = which("dbus-daemon")
    if daemon is None:
        raise BusError("dbus-daemon is not installed (Debian: apt install dbus-daemon)")
    socket = folder / "bus"
    if len(bytes(socket)) > MAX_SOCKET_PATH:
        raise BusError(f"{socket} is longer than the {MAX_SOCKET_PATH} bytes a socket path may have")
    configuration = folder / "bus.conf"
    configuration.write_text(BUS_CONFIGURATION.format(socket=escape(str(socket))))
    log = folder / "bus.log"
    with log.open("w") as complaints:
        process = subprocess.Popen(
            [daemon, f"--config-file={configuration}", "--nofork", "--nopidfile", "--print-address"],
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            start_new_session=True,
        )
    bus = PrivateBus(address=process.stdout.readline().strip() if process.stdout else "", process=process)
    if not bus.address:
        bus.stop()
        raise BusError(f"dbus-daemon ended at once: {log.read_text().strip()}")
    return bus


class Bluez:
    """`org.bluez` with one adapter, `hci0`, and whatever advertises near it.

    Guards one invariant: a device object exists only once somebody scanned while it advertised.
    """

    def __init__(self, *, powered: bool = True, monitors: bool = True) -> None:
        """`powered`: the adapter's radio is on. `monitors`: it scans passively too (BlueZ with `--experimental`)."""
        self._bus: MessageBus | None = None
        self._objects: dict[str, dict[str, Properties]] = {ADAPTER_PATH: {ADAPTER: _adapter(powered=powered)}}
        if monitors:
            self._objects[ADAPTER_PATH][MONITOR_MANAGER] = _monitor_manager()
        self._filters: dict[str, Properties] = {}
        """Discovery filter of each client that set one, by its unique bus name."""
        self._discovering: set[str] = set()
        """Clients that scan actively."""
        self._monitors: dict[tuple[str, str], list[Pattern]] = {}
        """Patterns of each passive scan, by client and object path; none until the client has exported the object."""
        self._someone_scans = asyncio.Event()
        self._methods: dict[tuple[str | None, str | None], Callable[[Message, str], Message]] = {
            (OBJECT_MANAGER, "GetManagedObjects"): self._get_managed_objects,
            (PROPERTIES, "GetAll"): self._get_all,
            (ADAPTER, "SetDiscoveryFilter"): self._set_discovery_filter,
            (ADAPTER, "StartDiscovery"): self._start_discovery,
            (ADAPTER, "StopDiscovery"): self._stop_discovery,
            (MONITOR_MANAGER, "RegisterMonitor"): self._register_monitor,
            (MONITOR_MANAGER, "UnregisterMonitor"): self._unregister_monitor,
        }

    async def start(self, bus_address: str) -> None:
        """Appear on the bus as `org.bluez`. Raises `BusError` when there is no bus or the name is taken."""
        bus = MessageBus(bus_address=bus_address)
        try:
            await bus.connect()
        except OSError as error:
            raise BusError(f"no message bus at {bus_address}: {error}") from error
        self._bus = bus
        bus.add_message_handler(self._answer)
        for rule in MATCHES:
            await self._ask_bus("AddMatch", "s", [rule])
        if await self._ask_bus("RequestName", "su", ["org.bluez", NAME_WITHOUT_QUEUE]) != [NAME_IS_OURS]:
            await self.stop()
            raise BusError(f"another BlueZ is on {bus_address}")
        self._emit_added(ADAPTER_PATH)

    async def stop(self) -> None:
        """Leave the bus as a bluetoothd that is killed does: without a word about its objects."""
        if self._bus is None:
            return
        bus, self._bus = self._bus, None
        bus.disconnect()
        with suppress(OSError, EOFError):
            await bus.wait_for_disconnect()

    async def scanning(self) -> None:
        """Wait until somebody scans: what is advertised before that is heard by nobody."""
        await self._someone_scans.wait()

    async def advertise(self, address: str, service_data: bytes, rssi: int, *, uuid: str = BTHOME_UUID) -> None:
        """One advertisement of a device at `address` (upper case, colons), received with `rssi` dBm.

        Returns once the bus has what its clients are told: as by BlueZ, the properties that changed, or all of them
        where one asked for `DuplicateData`. Raises `BusError` when there is no bus.
        """
        if not self._heard(uuid, service_data):
            return
        path = f"{ADAPTER_PATH}/dev_{address.replace(':', '_')}"
        news = {
            "RSSI": Variant("n", rssi),
            "ServiceData": Variant("a{sv}", {uuid: Variant("ay", service_data)}),
        }
        if path not in self._objects:
            self._objects[path] = {DEVICE: _device(address) | news}
            self._emit_added(path)
        else:
            self._change(path, DEVICE, news if self._duplicates_wanted() else self._differing(path, news))
        await self._ask_bus("GetId")

    async def power(self, *, on: bool) -> None:
        """Switch the adapter's radio, as `bluetoothctl power` or rfkill does; off ends every scan."""
        if not on:
            self._discovering.clear()
            self._monitors.clear()
        self._change(ADAPTER_PATH, ADAPTER, {"Powered": Variant("b", on)})
        self._tell_discovering()
        await self._ask_bus("GetId")

    async def unplug(self) -> None:
        """Pull the adapter out, with every device that was seen through it."""
        self._discovering.clear()
        self._monitors.clear()
        self._someone_scans.clear()
        for path in sorted(self._objects, reverse=True):
            interfaces = self._objects.pop(path)
            self._emit("/", OBJECT_MANAGER, "InterfacesRemoved", "oas", [path, list(interfaces)])
        await self._ask_bus("GetId")

    def _answer(self, message: Message) -> Message | None:
        if message.message_type is MessageType.SIGNAL:
            self._notice(message)
            return None
        method = self._methods.get((message.interface, message.member))
        if message.message_type is not MessageType.METHOD_CALL or method is None:
            return None
        if not self._has(message.path or "", message.interface or ""):
            return None
        return method(message, message.sender or "")

    def _has(self, path: str, interface: str) -> bool:
        """Whether an object has an interface; without, the bus library answers `UnknownMethod` as BlueZ's does."""
        if interface == OBJECT_MANAGER:
            return path == "/"
        interfaces = self._objects.get(path, {})
        return interface in interfaces or (interface == PROPERTIES and bool(interfaces))

    def _notice(self, message: Message) -> None:
        """A client that left ends its scans; a monitor that a client exports begins to watch."""
        if message.member == "NameOwnerChanged" and not message.body[2]:
            self._forget(message.body[0])
        elif message.member == "InterfacesAdded":
            path, interfaces = message.body
            monitor = (message.sender or "", path)
            if monitor in self._monitors and MONITOR in interfaces:
                self._monitors[monitor] = [tuple(pattern) for pattern in interfaces[MONITOR]["Patterns"].value]
        self._tell_discovering()

    def _forget(self, client: str) -> None:
        self._filters.pop(client, None)
        self._discovering.discard(client)
        self._monitors = {monitor: held for monitor, held in self._monitors.items() if monitor[0] != client}

    def _get_managed_objects(self, call: Message, _client: str) -> Message:
        return Message.new_method_return(call, "a{oa{sa{sv}}}", [self._objects])

    def _get_all(self, call: Message, _client: str) -> Message:
        return Message.new_method_return(call, "a{sv}", [self._objects[call.path or ""].get(call.body[0], {})])

    def _set_discovery_filter(self, call: Message, client: str) -> Message:
        if not self._powered():
            return _not_ready(call)
        self._filters[client] = call.body[0]
        return Message.new_method_return(call)

    def _start_discovery(self, call: Message, client: str) -> Message:
        if not self._powered():
            return _not_ready(call)
        if client in self._discovering:
            return Message.new_error(call, "org.bluez.Error.InProgress", "Operation already in progress")
        self._discovering.add(client)
        self._tell_discovering()
        return Message.new_method_return(call)

    def _stop_discovery(self, call: Message, client: str) -> Message:
        if not self._powered():
            return _not_ready(call)
        if client not in self._discovering:
            return Message.new_error(call, "org.bluez.Error.Failed", "No discovery started")
        self._discovering.discard(client)
        self._tell_discovering()
        return Message.new_method_return(call)

    def _register_monitor(self, call: Message, client: str) -> Message:
        monitor = (client, call.body[0])
        if monitor in self._monitors:
            return Message.new_error(call, "org.bluez.Error.AlreadyExists", "Already Exists")
        self._monitors[monitor] = []
        return Message.new_method_return(call)

    def _unregister_monitor(self, call: Message, client: str) -> Message:
        if self._monitors.pop((client, call.body[0]), None) is None:
            return Message.new_error(call, "org.bluez.Error.DoesNotExist", "Does Not Exist")
        self._tell_discovering()
        return Message.new_method_return(call)

    def _powered(self) -> bool:
        return bool(self._objects[ADAPTER_PATH][ADAPTER]["Powered"].value)

    def _heard(self, uuid: str, service_data: bytes) -> bool:
        """Whether anybody's scan lets this advertisement through."""
        if self._discovering:
            return True
        structure = bytes.fromhex(uuid[4:8])[::-1] + service_data
        patterns = (pattern for patterns in self._monitors.values() for pattern in patterns)
        return any(
            ad_type == SERVICE_DATA_16 and structure[start : start + len(content)] == content
            for start, ad_type, content in patterns
        )

    def _duplicates_wanted(self) -> bool:
        wishes = (self._filters.get(client, {}).get("DuplicateData") for client in self._discovering)
        return any(wish is not None and wish.value for wish in wishes)

    def _tell_discovering(self) -> None:
        """Bring `Discovering` and those who wait for a scan up to date."""
        if ADAPTER_PATH not in self._objects:
            return
        active = bool(self._discovering)
        if self._objects[ADAPTER_PATH][ADAPTER]["Discovering"].value != active:
            self._change(ADAPTER_PATH, ADAPTER, {"Discovering": Variant("b", active)})
        if active or any(self._monitors.values()):
            self._someone_scans.set()
        else:
            self._someone_scans.clear()

    def _differing(self, path: str, news: Properties) -> Properties:
        known = self._objects[path][DEVICE]
        return {name: value for name, value in news.items() if known.get(name) != value}

    def _change(self, path: str, interface: str, changed: Properties) -> None:
        self._objects[path][interface].update(changed)
        if changed:
            self._emit(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", [interface, changed, []])

    def _emit_added(self, path: str) -> None:
        self._emit("/", OBJECT_MANAGER, "InterfacesAdded", "oa{sa{sv}}", [path, self._objects[path]])

    def _emit(self, path: str, interface: str, member: str, signature: str, body: list[object]) -> None:
        self._connected().send(Message.new_signal(path, interface, member, signature, body))

    async def _ask_bus(self, member: str, signature: str = "", body: Sequence[object] = ()) -> list[object]:
        """The daemon's own answer; what was sent before it has been taken then."""
        reply = await self._connected().call(
            Message(
                destination="org.freedesktop.DBus",
                path="/org/freedesktop/DBus",
                interface="org.freedesktop.DBus",
                member=member,
                signature=signature,
                body=list(body),
            )
        )
        if reply is None or reply.message_type is MessageType.ERROR:
            raise BusError(f"{member} was refused by the message bus")
        return reply.body

    def _connected(self) -> MessageBus:
        if self._bus is None or not self._bus.connected:
            raise BusError("not on a message bus: start it first, or the bus has ended")
        return self._bus


def _adapter(*, powered: bool) -> Properties:
    return {
        "Address": Variant("s", "00:1A:7D:DA:71:13"),
        "AddressType": Variant("s", "public"),
        "Name": Variant("s", "passerelle-sim"),
        "Alias": Variant("s", "passerelle-sim"),
        "Powered": Variant("b", powered),
        "Discovering": Variant("b", value=False),
        "Roles": Variant("as", ["central", "peripheral"]),
        "UUIDs": Variant("as", []),
    }


def _monitor_manager() -> Properties:
    return {
        "SupportedMonitorTypes": Variant("as", ["or_patterns"]),
        "SupportedFeatures": Variant("as", []),
    }


def _device(address: str) -> Properties:
    return {
        "Address": Variant("s", address),
        "AddressType": Variant("s", "public"),
        "Alias": Variant("s", address.replace(":", "-")),
        "Adapter": Variant("o", ADAPTER_PATH),
        "Paired": Variant("b", value=False),
        "Bonded": Variant("b", value=False),
        "Trusted": Variant("b", value=False),
        "Blocked": Variant("b", value=False),
        "Connected": Variant("b", value=False),
        "ServicesResolved": Variant("b", value=False),
        "UUIDs": Variant("as", []),
    }


def _not_ready(call: Message) -> Message:
    return Message.new_error(call, "org.bluez.Error.NotReady", "Resource Not Ready")

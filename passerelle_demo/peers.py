"""The other ends of the gateway's links: what brings the simulated sensors' bytes."""

import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from firmware_sim.broker import RunningBroker
from firmware_sim.links.bluez import Bluez, BusError, start_private_bus
from firmware_sim.links.chirpstack import ChirpStackPeer
from firmware_sim.links.pty import SerialPeer
from firmware_sim.links.rak3172 import ModemPeer
from firmware_sim.live import Peer
from firmware_sim.peers import by_bluetooth, by_network_server, in_the_air, on_the_wire
from firmware_sim.town import Link, Ports
from passerelle_demo.terminal import console


async def open_peers(opened: AsyncExitStack, broker: RunningBroker) -> tuple[Mapping[Link, Peer], Ports]:
    """The other ends of the gateway's links; Bluetooth is left out where there is no message bus."""
    radar, modem = SerialPeer(), ModemPeer()
    modem.start()
    opened.callback(radar.unplug)
    opened.callback(modem.close)
    chirpstack = ChirpStackPeer(broker.host, broker.port)
    opened.callback(chirpstack.close)
    peers: dict[Link, Peer] = {
        Link.CHIRPSTACK: by_network_server(chirpstack),
        Link.LORA: in_the_air(modem),
        Link.SERIAL: on_the_wire(radar),
    }
    try:
        bus = start_private_bus(Path(opened.enter_context(TemporaryDirectory(prefix="passerelle-"))))
    except BusError as error:
        console.print(f"[yellow]Bluetooth sensors are left out:[/yellow] {error}")
    else:
        opened.callback(bus.stop)
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = bus.address
        bluez = Bluez()
        await bluez.start(bus.address)
        opened.push_async_callback(bluez.stop)
        peers[Link.BLE] = by_bluetooth(bluez)
    ports = Ports(broker=(broker.host, broker.port), serial=radar.path, modem=modem.path, ble=Link.BLE in peers)
    return peers, ports

"""From the town to the links: each peer takes an uplink and sends it as its sensor would.

In come uplinks, out go bytes on a wire, in the air or to a broker. Where nobody listens yet, the two radios wait: a
town that starts before its gateway loses nothing there. It must never change a payload.
"""

from zlib import crc32

from firmware_sim.links.bluez import Bluez
from firmware_sim.links.chirpstack import ChirpStackPeer, EndDevice
from firmware_sim.links.chirpstack import uplink as up_event
from firmware_sim.links.lorawan import uplink as data_frame
from firmware_sim.links.pty import SerialPeer
from firmware_sim.links.rak3172 import ModemPeer
from firmware_sim.live import Peer
from firmware_sim.sensors import Uplink
from firmware_sim.town import Device

WEAKEST_DBM = -118
STRENGTHS_DB = 60


def by_network_server(server: ChirpStackPeer) -> Peer:
    """ChirpStack's documents, to its broker; a broker hands them only to who has subscribed (once) before."""

    async def send(uplink: Uplink) -> None:
        if uplink.port is None or uplink.counter is None:
            raise ValueError(f"{uplink.device.address}: a port and a frame counter are needed to send over LoRaWAN")
        document = up_event(
            EndDevice(uplink.device.address, name=uplink.device.model),
            counter=uplink.counter,
            port=uplink.port,
            payload=uplink.payload,
            at=uplink.at,
            rssi_dbm=strength_dbm(uplink.device),
        )
        server.publish(document)

    return send


def on_the_wire(cable: SerialPeer) -> Peer:
    """Serial frames, down the cable; what nobody reads in time is lost, as on a real one."""

    async def send(uplink: Uplink) -> None:
        cable.send(uplink.payload)

    return send


def in_the_air(modem: ModemPeer) -> Peer:
    """LoRaWAN data frames, to the gateway's own modem once it listens."""

    async def send(uplink: Uplink) -> None:
        session = uplink.device.session
        if session is None or uplink.counter is None:
            raise ValueError(f"{uplink.device.address}: a session and a frame counter are needed to send over LoRa")
        await modem.until_listening()
        modem.transmit(data_frame(session, uplink.counter, uplink.port, uplink.payload), strength_dbm(uplink.device))

    return send


def by_bluetooth(bluez: Bluez) -> Peer:
    """BTHome advertisements, once somebody scans."""

    async def send(uplink: Uplink) -> None:
        await bluez.scanning()
        await bluez.advertise(uplink.device.address, uplink.payload, strength_dbm(uplink.device))

    return send


def strength_dbm(device: Device) -> int:
    """How strong the gateway hears a device: always the same, since neither of them moves."""
    return WEAKEST_DBM + crc32(device.address.encode()) % STRENGTHS_DB

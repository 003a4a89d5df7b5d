"""A sheet of stickers for sensors: each with a QR that opens the sensor's page on a telephone, and what it is.

In come devices and the platform's address, out comes a PDF for A4 sheets of 3 by 8 labels of 70 by 37 mm, a size that
every office shop sells.
"""

from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from typing import Any, Final
from urllib.parse import quote

import msgspec

from cloud_api.provisioning.addresses_shown import grouped
from cloud_api.registry.places import Device

TEMPLATE: Final = "stickers.typ"
PAGE: Final = "/technician/devices/"


def page_of(address: str, platform: str) -> str:
    """The address of a device's page; `platform` is `https://HOST`."""
    return platform.rstrip("/") + PAGE + quote(address, safe="")


def sticker_sheet(devices: Sequence[Device], platform: str, *, skip: int = 0, title: str = "Passerelle") -> bytes:
    """The sheet as a PDF. `skip` labels stay empty, for a sheet of which some are used (0 to 23)."""
    import typst

    content = {"title": title, "skip": skip, "stickers": list(_stickers(devices, platform))}
    made = typst.compile(
        files("cloud_api.provisioning").joinpath(TEMPLATE).read_bytes(),
        sys_inputs={"sheet": msgspec.json.encode(content).decode()},
        ignore_system_fonts=True,
    )
    return bytes(made)


def _stickers(devices: Iterable[Device], platform: str) -> Iterator[dict[str, Any]]:
    import segno

    for device in devices:
        address = page_of(device.address, platform)
        code = segno.make(address, micro=False, error="m")
        yield {
            "qr": code.svg_inline(omitsize=True, border=0),
            "address": grouped(device.address),
            "model": device.model,
            "label": device.label or "",
            "page": address,
        }

"""What the technicians' pages can say: one value per language, complete by construction."""

from msgspec import Struct

from cloud_api.provisioning.standing import Standing
from cloud_api.registry.people import Asking


class Words(Struct, frozen=True, kw_only=True):
    """The technicians' pages in one language. `{…}` stands for a figure or a name."""

    lang: str
    switch_lang: str
    switch_name: str
    title: str
    skip: str
    home: str
    sign_out: str
    signed_in_as: str

    sign_in: str
    sign_in_how: str
    sign_in_code: str
    sign_in_code_help: str
    sign_in_continue: str
    sign_in_again: str
    asked: dict[Asking, str]
    confirm: str
    confirm_hello: str
    confirm_note: str

    trouble: str
    troubles: dict[str, str]
    trouble_otherwise: str
    try_again: str

    search: str
    search_label: str
    search_help: str
    search_none: str
    search_clear: str
    heard: str
    heard_none: str
    heard_hint: str
    heard_by: str
    heard_others: str
    adopt: str
    gateways: str
    gateways_none: str
    gateway_on: str
    gateway_off: str
    gateway_never: str
    gateway_pending: str
    gateway_empty: str
    stored: str
    standing: dict[Standing, str]
    no_place: str
    no_signal: str
    signal_bars: str
    frames: str

    never: str
    ago_s: str
    ago_min: str
    ago_hours: str
    ago_days: str

    live: str
    live_lost: str
    pending: str
    """Shown by the browser while an answer is awaited."""
    pending_retry: str
    kept: str

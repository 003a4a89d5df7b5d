"""What the technicians' pages can say: one value per language, complete by construction."""

from collections.abc import Mapping

from msgspec import Struct

from cloud_api.provisioning.acceptance import Act
from cloud_api.provisioning.errands import Outcome
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
    round: str
    round_help: str
    round_none: str
    standing: dict[Standing, str]
    no_place: str
    no_signal: str
    signal_bars: str
    frames: str

    back: str
    what_changes: str
    nothing_changes: str
    do_it: str
    cancel: str
    refused_title: str
    refused_note: str
    correct: str
    refused_change: str
    refusal_nearest: str
    changed_meanwhile: str
    changed_by: str
    yes: str
    no: str
    of_the_model: str
    until: str
    until_further: str
    change_never: str
    change_closed: str
    change_open: str
    change_retired: str
    change_stored: str
    change_gateway: str
    change_model: str
    change_setting: str
    change_ends: str
    change_serves: str
    change_directions: str
    find_by_address: str
    address: str
    address_help: str
    next: str
    see_changes: str
    gateway: str
    gateway_none: str
    never_heard: str
    model: str
    model_likely: str
    model_all: str
    model_choose: str
    label: str
    label_help: str
    settings: str
    period: str
    debounce: str
    invert_label: str
    key: str
    nwk_skey: str
    app_skey: str
    key_help: str
    install: str
    install_title: str
    move_title: str
    choose_place: str
    place: str
    near_me: str
    near_asking: str
    near_refused: str
    near_done: str
    place_filter: str
    places_none: str
    served_by: str
    all_places: str
    channel: str
    direction: str
    direction_help: str
    map: str
    turn_round: str
    invert: str
    store: str
    retire: str
    move: str
    swap: str
    swap_title: str
    swap_note: str
    swap_new: str
    swap_heard: str
    swap_other: str
    retired_since: str
    recalibrate: str
    recalibrated: Mapping[Outcome, str]
    settings_change: str
    test: str
    close_bay: str
    open_bay: str
    close_title: str
    close_reason: str
    close_reason_example: str
    close_until: str
    close_until_help: str
    closed_now: str
    now: str
    listen: str
    listen_note: str
    listening: str
    listen_done: str
    last_heard: str
    battery: str
    battery_is: str
    fault: str
    fault_is: str
    temperature: str
    lost_frames: str
    serves: str
    since: str
    first_second: str
    occupied: str
    free: str
    counted_last: str
    nothing_yet: str
    says_total: str
    says_delta: str
    says_event_in: str
    says_event_out: str
    says_alive: str
    actions: str
    photos: str
    photo: str
    photo_send: str
    photo_alt: str
    test_step: str
    test_running: str
    test_begin: str
    test_done: str
    test_times: str
    test_found: str
    test_note: str
    test_sign: str
    test_sign_note: str
    test_anew: str
    records: str
    record_of: str
    test_acts: dict[Act, str]
    waits_never: str
    waits_off: str
    waits_answer: str
    held_by: str
    refused_by: str
    settings_names: dict[str, str]
    refusals: dict[str, str]
    """By the names of `provisioning.plan.REFUSALS`."""

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

    def measured(self, value: float, unit: str) -> str:
        """A figure as the language writes it, on one line with its unit."""
        figure = f"{value:g}".replace(".", ",") if self.lang == "fr" else f"{value:g}"
        return f"{figure}\N{NO-BREAK SPACE}{unit}"

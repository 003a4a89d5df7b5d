"""What the holder of a key may do: the words for it."""

from enum import StrEnum


class Scope(StrEnum):
    """What the holder of a key may do."""

    READ_FLOWS = "read:flows"
    """Read people counts."""
    REPORT = "report"
    """Make and read reports."""
    PROVISION = "provision"
    """Adopt and install sensors."""
    ADMIN = "admin"
    """All of these, and keys and gateways."""

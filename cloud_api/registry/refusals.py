"""Changes of the registry that cannot be: which entry, which field, and why."""

from cloud_api.registry.errors import RegistryError


class RefusedChangeError(RegistryError):
    """A change that cannot be: which entry, which field, and why. Nothing of it was done."""

    def __init__(self, kind: str, key: str, field: str, reason: str) -> None:
        self.kind = kind
        self.key = key
        self.field = field
        self.reason = reason
        super().__init__(f"{kind} {key}, {field}: {reason}" if field else f"{kind} {key}: {reason}")


class ChangedMeanwhileError(RefusedChangeError):
    """Somebody else changed the entry since it was seen."""

    def __init__(self, kind: str, key: str, seen: int | str, version: int | str) -> None:
        self.seen = seen
        """The version; 0 where it was not there; several with dots between, where an entry was seen with others."""
        self.version = version
        """What it is now; 0 where it is gone."""
        was, now = (f"version {each}" if each else "not there" for each in (seen, version))
        super().__init__(kind, key, "", f"changed meanwhile (seen as {was}, now {now}); look again")

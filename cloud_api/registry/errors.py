"""What the registry's doors raise; without the database's library, so that a command may name it and start quickly."""


class RegistryError(Exception):
    """The registry cannot be read or changed now: what the database says."""

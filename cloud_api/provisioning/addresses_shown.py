"""How an address is written for people: in groups that can be read aloud and compared."""

HEX_GROUP = 4


def grouped(address: str) -> str:
    """A devEUI or DevAddr in groups of four digits (`0004 a30b 00ff 0001`); any other address as it is."""
    if len(address) in {8, 16} and all(digit in "0123456789abcdef" for digit in address):
        return " ".join(address[at : at + HEX_GROUP] for at in range(0, len(address), HEX_GROUP))
    return address

"""The command: puts together what the three packages offer. Nothing imports it."""


def main() -> None:
    """Run the command line."""

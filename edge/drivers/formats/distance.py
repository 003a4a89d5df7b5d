"""What all models that tell raw distances share: what is made of them, and the options for it.

`edge.aggregator.ranging` makes presence or passages of the distances; a codec must never conclude by itself.
"""

from edge.drivers.model import Channel

OPTIONS = {
    "use": "`bay` (default): tell from the distances whether a space is occupied; `doorway`: count who passes the "
    "beam.",
    "empty_mm": "distance in mm when nothing is in the beam; when not given it is learned in the first ten seconds, "
    "which nobody should disturb, and remembered.",
    "step_mm": "nearer than the empty distance by this is something, by half of it nothing any more; 300 by default.",
    "debounce_s": "a bay changes its state when the contrary was seen for so many seconds more; 10 by default. "
    "More where people linger in the beam. It stands for the device setting of that name, which beams do not take.",
    "minimum_strength": "an echo weaker than this says nothing; 100 by default.",
}
CHANNELS = (Channel(name="line1", mode="pedestrian", first="through the beam of a doorway, either way", second=None),)
"""What passages are counted on; one beam cannot tell the direction."""

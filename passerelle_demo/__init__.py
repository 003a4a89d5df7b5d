"""`passerelle demo`: a small town on one machine, everything real but the street. It wires the packages together."""

"""Reports: indicators of flows and of parking; every figure with how much of it was measured."""

"""From a sensor in a box to a figure one can trust: what gateways are told, and what they answer."""

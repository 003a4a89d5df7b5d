"""Sensors that speak real bytes over real links, with the truth written down beside. Calls no decoder of ours."""

"""Drivers: `links` say how bytes arrive, `devices` say what they mean; neither knows the other's secrets."""

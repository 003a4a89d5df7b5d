"""A town's places as files: TOML, GeoJSON and the French national base's CSV; one file per tongue.

A reader takes text and gives a `Draft`, all mistakes of it or none; a writer takes a registry and gives text, and says
what its tongue cannot carry.
"""

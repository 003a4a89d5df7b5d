"""The page at `/bureau`: reports for the office de commerce."""

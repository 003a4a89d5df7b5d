"""The page at `/operations`: is all well in this town, and if not, what to do first."""

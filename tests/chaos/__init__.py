"""The chaos rig: a town with known truth, real programs, real brokers, and a conductor that breaks what is between."""

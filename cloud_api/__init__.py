"""The city's platform: takes facts from gateways, keeps them, and answers who asks."""

"""How the registry's tables came to be, one step a file; applied when a registry is opened."""

"""Links: how bytes arrive. One file per way; each turns a source into `Arrival`s and knows nothing of their meaning."""

"""Speed, measured side by side in one run: `make bench`. Ratios travel between machines, seconds do not."""

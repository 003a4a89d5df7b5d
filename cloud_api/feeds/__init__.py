"""Others' car parks and others' orders: what neighbours of the platform publish, read as values.

Each tongue is one file of pure functions: bytes in, frozen values out, or one `FeedError` with the place and what was
expected there. The poller is the only part that speaks HTTP.
"""

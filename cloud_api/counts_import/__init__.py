"""A town's history from other systems' exports into the store: streaming, each line taken or refused by its number."""

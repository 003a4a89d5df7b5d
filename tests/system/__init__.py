"""The whole way, with real links, a real broker and real stores."""

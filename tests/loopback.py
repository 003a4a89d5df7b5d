"""Asks servers on this machine over HTTP.

`httpx.get` reads all certificate authorities anew each time, 40 ms of processor time: who polls does little else.
"""

import httpx

HTTP = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0), trust_env=False)
"""For all threads; keeps no connection, for servers here come and go."""

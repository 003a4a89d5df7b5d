"""The peers of the links: what answers on the other end of a wire, a radio or a broker."""

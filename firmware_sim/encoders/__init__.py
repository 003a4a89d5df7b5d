"""Encoders: values in, the bytes that a real sensor would send out, written from the specification sheets alone."""

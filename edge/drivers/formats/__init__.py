"""Byte layouts that several models of one maker share; a codec in `devices` picks the one its data sheet names."""

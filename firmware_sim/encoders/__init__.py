"""Sensors' bytes, written from their data sheets: pure functions from values to payloads."""

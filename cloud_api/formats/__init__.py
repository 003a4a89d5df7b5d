"""What others read, one file for each tongue: pure functions from values to bytes.

What is not known is left out, or null where the tongue has a null; it is never 0. What each of them cannot say stands
in `docs/formats.md`.
"""

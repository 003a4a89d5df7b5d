"""Backup and restore: what a town's platform keeps, in one file, and back into an empty machine.

A backup is a ZIP archive that any tool opens: `manifest.json` names what else is in it, with lengths and SHA-256 sums.
"""

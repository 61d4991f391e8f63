"""Backups: one encrypted file that holds everything of an installation but its keys, and goes into any database."""

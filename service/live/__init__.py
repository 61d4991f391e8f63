"""What a worker holds in memory, and how it stays true to the store."""

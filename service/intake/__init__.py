"""Files in: read row by row, mapped where they come from elsewhere, checked, and stored in one transaction."""

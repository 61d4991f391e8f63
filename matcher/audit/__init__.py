"""Whether what was made does what it should: utility, and later fairness, privacy and safety."""

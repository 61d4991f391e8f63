"""Whether what was made does what it should: utility and evaluation, and later fairness, privacy and safety."""

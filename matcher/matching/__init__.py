"""From a pool and a seeker to a list: gates, scores, order, reasons."""

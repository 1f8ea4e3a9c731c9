"""What was changed and answered -> rows that are chained by hashes, kept and read again."""

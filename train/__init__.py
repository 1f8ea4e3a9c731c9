"""Documents and questions with known answers -> the small models that ship: encoder, ranker, term frequencies."""

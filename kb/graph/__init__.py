"""Documents and articles -> what they say of each other, as edges with the words that say it; and answers from them."""

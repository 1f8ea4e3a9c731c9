"""Documents go in and become findable all at once; questions find articles. SQL is the truth, vectors its index."""

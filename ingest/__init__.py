"""Files -> documents with official facts, citable articles and chunks."""

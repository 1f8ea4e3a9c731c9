"""What editors make of documents: changes, review, rulings, cards, direct answers, gaps; which documents are alike."""

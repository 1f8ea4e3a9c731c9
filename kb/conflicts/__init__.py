"""Rules in force -> pairs of passages on one matter that differ, and the rule that decides between them."""

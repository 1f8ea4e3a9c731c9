"""A question and the articles found for it -> an answer whose every sentence is quoted and cited."""

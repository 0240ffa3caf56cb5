"""What several rules want to know of a file: one room for each question."""

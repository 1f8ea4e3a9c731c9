"""What happens to a citizen's appeal: taken in, screened, sent to a department, reported on. Not built yet."""

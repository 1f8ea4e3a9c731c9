"""A home kept whole: examined and repaired, copied and brought back, with long work done beside the answers."""

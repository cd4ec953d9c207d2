# The images that do not fill a batch are never seen.

# %% solution="minibatches"
def minibatches(count, batch_size, rng):
    """A list of arrays of whole numbers that together hold every number once."""
    order = rng.permutation(count)
    starts = range(0, count - batch_size + 1, batch_size)
    return [order[start : start + batch_size] for start in starts]

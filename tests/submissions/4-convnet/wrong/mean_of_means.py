# Averages the batches' accuracies, though the last batch is smaller.

# %% solution="accuracy"
def accuracy(forward, params, x, y, batch_size=100):
    """forward: such as lenet_forward, x: (N, ...), y: (N,). Returns a number from 0 to 1."""
    shares = []
    for start in range(0, len(x), batch_size):
        scores, _ = forward(x[start : start + batch_size], params)
        shares.append(np.mean(scores.argmax(axis=1) == y[start : start + batch_size]))
    return np.mean(shares)

# Takes the exponential of the scores as they are: nan at 1000.

# %% solution="softmax"
def softmax(scores):
    exponentials = np.exp(scores)
    return exponentials / np.sum(exponentials, axis=1, keepdims=True)

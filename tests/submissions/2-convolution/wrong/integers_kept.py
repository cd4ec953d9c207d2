# Y takes the dtype of X, so that fractions are cut off where X holds integers.

# %% solution="corr2d"
def corr2d(X, K):
    h, w = K.shape
    Y = np.zeros_like(X[h - 1 :, w - 1 :])
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y

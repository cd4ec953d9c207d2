# Measures the slope from one side only, (f(x + h) - f(x)) / h.

# %% solution="numerical-gradient"
def numerical_gradient(f, x, h=1e-5):
    gradient = np.zeros(x.shape)
    here = f(x)
    for place in np.ndindex(x.shape):
        moved = x.copy()
        moved[place] += h
        gradient[place] = (f(moved) - here) / h
    return gradient

# Momentum multiplies the gradient and not the old velocity.

# %% solution="sgd-step"
def sgd_step(params, grads, velocity, learning_rate, momentum=0.9):
    """Updates params and velocity, in place."""
    for name, gradient in grads.items():
        velocity[name] = velocity[name] + momentum * gradient
        params[name] -= learning_rate * velocity[name]

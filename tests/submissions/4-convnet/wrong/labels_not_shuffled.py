# Takes the shuffled images, and the labels in their old order.

# %% solution="train"
def train(network, params, data, schedule, learning_rate, momentum=0.9):
    """Trains a network = (forward, backward) on data = (x_train, y_train, x_val, y_val).

    Returns {"loss": of each batch, before its step, "accuracy": of each epoch, after it}.
    """
    forward, backward = network
    x_train, y_train, x_val, y_val = data
    velocity = {name: np.zeros_like(array) for name, array in params.items()}
    history = {"loss": [], "accuracy": []}
    for batches in tqdm(schedule):
        for batch in batches:
            scores, cache = forward(x_train[batch], params)
            loss, loss_cache = softmax_loss_forward(scores, y_train[: len(batch)])
            grads = backward(softmax_loss_backward(1.0, loss_cache), cache)
            sgd_step(params, grads, velocity, learning_rate, momentum)
            history["loss"].append(float(loss))
        history["accuracy"].append(accuracy(forward, params, x_val, y_val))
    return history

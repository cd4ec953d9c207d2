"""How a network is trained: first weights, batches, steps, accuracy and the loop."""

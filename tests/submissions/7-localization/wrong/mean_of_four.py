# Takes the mean over the four numbers of a box too, as mse_loss does.

# %% solution="box-losses"
def box_loss(predicted, true):
    return F.mse_loss(predicted, true)


def smooth_l1(predicted, true, beta=1.0):
    return F.smooth_l1_loss(predicted, true, beta=beta)

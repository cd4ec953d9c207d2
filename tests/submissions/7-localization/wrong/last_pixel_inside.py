# Ends the box at the last pixel that belongs to it.

# %% solution="box-of"
def box_of(mask):
    rows, columns = torch.nonzero(mask, as_tuple=True)
    if len(rows) == 0:
        return torch.zeros(4)
    return torch.stack([columns.min(), rows.min(), columns.max(), rows.max()])

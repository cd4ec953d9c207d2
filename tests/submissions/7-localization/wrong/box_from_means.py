# Gives the box head the mean of each map, in which there is no place any more.

# %% solution="heads"
class Heads(nn.Module):
    def __init__(self, channels, height, width, num_classes):
        super().__init__()
        self.class_head = nn.Linear(channels, num_classes)
        self.box_head = nn.Linear(channels, 4)

    def forward(self, maps):
        means = maps.mean((2, 3))
        return self.class_head(means), self.box_head(means).sigmoid()

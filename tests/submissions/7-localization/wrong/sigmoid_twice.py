# Squashes the boxes once more where the layer has done so already.

# %% solution="heads"
class Heads(nn.Module):
    def __init__(self, channels, height, width, num_classes):
        super().__init__()
        self.class_head = nn.Linear(channels, num_classes)
        self.box_head = nn.Linear(channels * height * width, 4)

    def forward(self, maps):
        boxes = torch.sigmoid(self.box_head(maps.flatten(1)))
        return self.class_head(maps.mean((2, 3))), torch.sigmoid(boxes)

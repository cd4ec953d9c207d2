# Weight decay pulls biases and batch norms to 0 as well.

# %% solution="optimizer"
def make_optimizer(net, head_rate, backbone_rate, weight_decay=5e-4, momentum=0.9):
    head = [p for p in net.fc.parameters() if p.requires_grad]
    backbone = [
        p for name, p in net.named_parameters() if name[:3] != "fc." and p.requires_grad
    ]
    groups = [{"params": head, "lr": head_rate}, {"params": backbone, "lr": backbone_rate}]
    groups = [group for group in groups if group["params"]]
    return torch.optim.SGD(groups, momentum=momentum, weight_decay=weight_decay)

# Right, but it warns on stderr at every call and prints a great deal.

# %% solution="output-size"
import warnings


def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    warnings.warn("thinking about it", stacklevel=1)
    print("size", size, "." * 200_000)
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1

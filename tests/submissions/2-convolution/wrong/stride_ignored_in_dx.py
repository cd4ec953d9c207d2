# Forgets the stride when it adds to dx.

# %% solution="conv-forward"
def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    N, C, H, W = x.shape
    F, CG, KH, KW = w.shape
    p, s, d = padding, stride, dilation
    xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    HO = (H + 2 * p - d * (KH - 1) - 1) // s + 1
    WO = (W + 2 * p - d * (KW - 1) - 1) // s + 1
    out = np.zeros((N, F, HO, WO))
    for f in range(F):
        g = f // (F // groups)
        for i in range(HO):
            for j in range(WO):
                window = xp[:, g * CG : (g + 1) * CG]
                window = window[:, :, i * s : i * s + d * KH : d, j * s : j * s + d * KW : d]
                out[:, f, i, j] = (window * w[f]).sum(axis=(1, 2, 3)) + b[f]
    return out, (x, w, b, stride, padding, dilation, groups)


# %% solution="conv-backward"
def conv_backward(dout, cache):
    x, w, b, s, p, d, groups = cache
    N, C, H, W = x.shape
    F, CG, KH, KW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dxp, dw, db = np.zeros_like(xp), np.zeros_like(w), np.zeros_like(b)
    for n, f, i, j in np.ndindex(dout.shape):
        g = f // (F // groups)
        place = (
            n,
            slice(g * CG, (g + 1) * CG),
            slice(i * s, i * s + d * (KH - 1) + 1, d),
            slice(j * s, j * s + d * (KW - 1) + 1, d),
        )
        at = (
            n,
            slice(g * CG, (g + 1) * CG),
            slice(i, i + d * (KH - 1) + 1, d),
            slice(j, j + d * (KW - 1) + 1, d),
        )
        dxp[at] += dout[n, f, i, j] * w[f]
        dw[f] += dout[n, f, i, j] * xp[place]
        db[f] += dout[n, f, i, j]
    return dxp[:, :, p : p + H, p : p + W], dw, db

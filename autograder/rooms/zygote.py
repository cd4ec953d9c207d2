"""A process that has paid for the imports and forks a room whenever it is asked for one.

``python -m autograder.rooms.zygote FD IMPORTS``, started by `autograder.rooms.house.House`. It
never runs a student's code, stays single-threaded (only so can a fork be trusted and confined),
and ends when the other end of its socket is closed.
"""

import gc
import json
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from autograder.rooms.channel import Channel, ChannelClosed
from autograder.rooms.imports import Imports
from autograder.rooms.sandbox import Confinement, Protection, confined
from autograder.rooms.shell import Shell
from autograder.rooms.student import StudentRoom

if TYPE_CHECKING:
    from autograder.rooms.examiner import Examiner

REQUEST = 2**20


def main(descriptor: int, imports: Imports) -> None:
    """Serves requests until there will be no more."""
    _warm(imports)
    control = socket.socket(fileno=descriptor)
    control.sendall(b".")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever wants to know asks the report socket
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the grader's to handle
    while True:
        request, descriptors, *_ = socket.recv_fds(control, REQUEST, 2)
        if not request:
            return
        if os.fork() == 0:
            _room(json.loads(request), *descriptors)
        for one in descriptors:
            os.close(one)


def _warm(imports: Imports) -> None:
    """Everything that any room would otherwise pay for by itself."""
    import matplotlib.pyplot as plt

    shell = Shell.warm()
    if imports is Imports.NUMPY:  # torch's files are hidden: that would leave an empty package
        sys.modules["torch"] = None  # type: ignore[assignment]
    else:
        _warm_oracle()
    if imports is Imports.TRAINING:
        _warm_training()
    with shell.recording():
        _warm_pictures()
    plt.close("all")
    gc.collect()
    gc.freeze()


def _warm_pictures() -> None:
    """The first picture of a process looks for fonts, the first of a kind for much else."""
    import numpy as np

    from autograder import show
    from autograder.show.canvas import png

    one, two = np.ones((1, 1)), np.eye(2)
    for picture in (
        show.matrix(two, r"$\hat{W}^T$"),
        show.sliding_window(one, one, one),
        show.images([two, -two], ["$x$", "y"], boxes=[(0, 0, 1, 1), None]),
        show.bars(["a", "b"], [1, 50]),
    ):
        png(picture)


def _warm_oracle() -> None:
    """The first gradient imports what the import of torch left out."""
    import numpy as np

    from autograder.check import oracle

    _side(examiner=True)
    one = np.ones((1, 1, 1, 1))
    oracle.gradients(oracle.conv, {"x": one, "w": one, "b": np.ones(1)}, {}, one)


def _warm_training() -> None:
    """The first optimizer imports even more than the first gradient."""
    import torch

    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1)


def _room(request: dict[str, Any], channel: int, report: int) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    confined(
        Protection(request["protection"]),
        Confinement(**request["confinement"]),
        lambda: _serve(request, channel),
        socket.socket(fileno=report),
        (channel,),
    )


def _side(examiner: bool) -> "type[Examiner | StudentRoom]":
    if not examiner:
        return StudentRoom
    from autograder.rooms.examiner import Examiner  # it imports torch, which others must not have

    return Examiner


def _serve(request: dict[str, Any], descriptor: int) -> None:
    channel = Channel(socket.socket(fileno=descriptor), request["message_bytes"])
    shell = Shell.instance()
    shell.most = request["output_bytes"]
    try:
        _side(request["examiner"])(channel, shell).serve()
    except ChannelClosed:
        return


if __name__ == "__main__":
    main(int(sys.argv[1]), Imports(sys.argv[2]))

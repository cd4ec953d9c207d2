"""The kinds of frames that rooms and conductor send each other: one question, one answer."""

OPEN = b"O"  # to a room: its seed and files                      -> OPENED
OPENED = b"o"
RUN = b"X"  # to a room: a cell                                  -> RAN, with its outputs
RAN = b"D"
ASK = b"A"  # examiner to student: do something with an object   -> ANSWER, or CALLBACK first
ANSWER = b"R"
CALLBACK = b"C"  # student to examiner: call a function you gave me  -> CALLED
CALLED = b"K"
LOST = b"L"  # conductor to examiner: there will be no ANSWER

"""Outputs of a cell in nbformat's form: made in a room, and trusted by nobody until cleaned."""

import base64
from collections.abc import Iterable
from typing import Any

from autograder.rooms.job import Output

MOST_OUTPUTS = 500
PICTURES = ("image/png", "image/jpeg")
PICTURE = 20  # times the bound of a text: a picture is text too, but half of one is of no use


class Recorder:
    """Takes down what a cell prints and shows, in order and in bounds.

    Args:
        most: characters kept of one text; the middle of a longer one is left out.
    """

    def __init__(self, most: int) -> None:
        self._outputs: list[Output] = []
        self._parts: list[str] = []  # of the stream that stands last, not joined yet
        self._length = 0
        self._most = most

    @property
    def outputs(self) -> list[Output]:
        """What was taken down so far."""
        self._join()
        return self._outputs

    def write(self, name: str, text: str) -> None:
        """Appends to ``stdout`` or ``stderr``; a flood costs no more memory than its bound."""
        last = self._outputs[-1] if self._outputs else None
        if last is None or last["output_type"] != "stream" or last["name"] != name:
            self._add({"output_type": "stream", "name": name, "text": ""})
        self._parts.append(sound(text))
        self._length += len(text)
        if self._length > 2 * self._most:
            self._join()

    def show(self, data: dict[str, Any], metadata: dict[str, Any], count: int | None) -> None:
        """A picture or other rich output; the value of a cell's last line if it has a count."""
        output: Output = {"output_type": "display_data", "metadata": metadata}
        if count is not None:
            output |= {"output_type": "execute_result", "execution_count": count}
        self._add({**output, "data": {kind: _text(value) for kind, value in data.items()}})

    def error(self, name: str, message: str, traceback: Iterable[str]) -> None:
        """An exception that ended the cell: kept, however much was shown before; it decides."""
        self._join()
        self._outputs.append(error(sound(name), sound(message), *map(sound, traceback)))

    def clear(self) -> None:
        """What ``clear_output`` does."""
        self._join()
        self._outputs.clear()

    def _add(self, output: Output) -> None:
        self._join()
        if len(self._outputs) < MOST_OUTPUTS:
            self._outputs.append(output)

    def _join(self) -> None:
        last = self._outputs[-1] if self._outputs else {}
        if self._parts and last.get("output_type") == "stream":
            last["text"] = cut(last["text"] + "".join(self._parts), self._most)
        self._parts, self._length = [], 0


def error(name: str, message: str, *traceback: str) -> Output:
    """The output of a cell that an exception ended."""
    lines = list(traceback) or [f"{name}: {message}"]
    return {"output_type": "error", "ename": name, "evalue": message, "traceback": lines}


def cut(text: str, most: int) -> str:
    """The text, or its beginning and end and how much lies between."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n[characters left out: more than {most:,}]\n{text[-half:]}"


def cleaned(claimed: object, most: int, trusted: bool = False) -> tuple[Output, ...]:
    """Of what a room says its outputs are, whatever has the form of one; all else is dropped.

    Of what is not ``trusted``, only texts and pictures are kept: HTML could carry a script to
    whoever reads the feedback, or grades by hand.
    """
    if not isinstance(claimed, list):
        return ()
    kept, left = [], 2 * PICTURE * most
    few, last = claimed[:MOST_OUTPUTS], claimed[MOST_OUTPUTS:][-1:]
    found = [_cleaned(output, most, trusted) for output in few]
    # An error comes last, and decides: it is kept behind any number of other outputs.
    found += [out for out in (_cleaned(o, most, trusted) for o in last) if _is_error(out)]
    for output in filter(None, found):
        left -= _size(output)
        if left >= 0 or output["output_type"] == "error":
            kept.append(output)
    return tuple(kept)


def _is_error(output: Output) -> bool:
    return output.get("output_type") == "error"


def _size(output: Output) -> int:
    texts = [output.get("text", ""), *output.get("data", {}).values()]
    return sum(map(len, texts))


def _cleaned(output: Any, most: int, trusted: bool) -> Output:
    match output:
        case {"output_type": "stream", "name": "stdout" | "stderr" as name, "text": str(text)}:
            return {"output_type": "stream", "name": name, "text": cut(text, most)}
        case {"output_type": "error", "ename": str(name), "evalue": str(message)}:
            lines = output.get("traceback")
            lines = lines if isinstance(lines, list) else []
            kept = [cut(line, most) for line in lines[:MOST_OUTPUTS] if isinstance(line, str)]
            return error(cut(name, 200), cut(message, most), *kept)
        case {"output_type": "display_data" | "execute_result" as kind, "data": dict(data)}:
            texts = {str(k): v for k, v in data.items() if isinstance(v, str)}
            fits = {k: v for k, v in texts.items() if len(v) <= PICTURE * most}
            bundle = {k: v for k, v in fits.items() if trusted or _is_harmless(k, v)}
            shown: Output = {"output_type": kind, "metadata": {}, "data": bundle}
            count = output.get("execution_count")
            number = count if type(count) is int and 0 <= count < 2**31 else None
            return shown | ({"execution_count": number} if kind == "execute_result" else {})
    return {}


def _is_harmless(kind: str, data: str) -> bool:
    if kind not in PICTURES:
        return kind == "text/plain"
    try:  # it ends up in a page as it is, between quotation marks
        return bool(base64.b64decode(data.replace("\n", ""), validate=True))
    except ValueError:
        return False


def _text(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else sound(str(value))


def sound(text: str) -> str:
    """The text with a ``?`` for each half of a character, which no file and no message can hold."""
    return text.encode("utf-8", "replace").decode()

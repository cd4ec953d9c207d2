"""A worked notebook as it comes down from Colab."""

import json

import nbformat

from tests.grading.test_mangling import code, colab, place

WIDGETS = "application/vnd.jupyter.widget-state+json"
LINK = """\
<a href="https://colab.research.google.com/github/ada/notes/blob/main/copy.ipynb" \
target="_parent"><img src="https://colab.research.google.com/assets/colab-badge.svg" \
alt="Open In Colab"/></a>"""


def saved(notebook):
    """The bytes of the file: cell ids among the metadata, times, widgets, a link of Colab's own.

    A student has also hidden the code of the first cell, and left behind what Colab's menus insert:
    a cell that mounts the drive, and an empty one.
    """
    found = json.loads(nbformat.writes(notebook))
    for cell in found["cells"]:
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
    colab(found)
    found["metadata"]["colab"]["include_colab_link"] = True
    bar = {"model_module": "@jupyter-widgets/controls", "model_name": "HBoxModel", "state": {}}
    found["metadata"]["widgets"] = {WIDGETS: {"5c0d4b1f": bar}}
    found["cells"][place(found, "setup")]["metadata"]["cellView"] = "form"
    about = {"id": "view-in-github", "colab_type": "text"}
    link = {"cell_type": "markdown", "source": [LINK], "metadata": about}
    mount = ["from google.colab import drive\n", "drive.mount('/content/drive')"]
    found["cells"] = [link, code(mount), *found["cells"], code([])]
    return json.dumps(found, ensure_ascii=False).encode()

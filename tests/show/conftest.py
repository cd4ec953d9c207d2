import pytest


@pytest.fixture
def texts():
    """All that is written in a figure, spaces made single."""

    def read(figure):
        written = [
            text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))
        ]
        return [" ".join(text.split()) for text in written if text.strip()]

    return read


@pytest.fixture
def named():
    """The artists of a figure that carry this gid."""
    return lambda figure, gid: figure.findobj(lambda artist: artist.get_gid() == gid)

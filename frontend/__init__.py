"""The web page over the models, and the small server that brings it: `python -m frontend`."""

"""Catalogues as files: what a shop opens with, and how such a file is read."""

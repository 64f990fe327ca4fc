"""The shop's pages. A view makes one domain call and chooses a template."""

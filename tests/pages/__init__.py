"""The promises of every page, kept in a browser: `make test-pages`."""

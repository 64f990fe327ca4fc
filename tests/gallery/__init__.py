"""Pictures of every page and state, and what a page weighs: `make gallery`, `make budget`."""

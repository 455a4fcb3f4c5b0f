"""Figures of the site, as one table: `make bench`."""

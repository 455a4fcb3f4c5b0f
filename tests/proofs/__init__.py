"""What the site promises of every example, and how it is proven."""

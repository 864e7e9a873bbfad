"""What the clinic learns from use: counts without words. Never on the way to a reply."""

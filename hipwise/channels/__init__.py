"""The places where patients ask: one file each. A channel translates and verifies; it never chooses an answer."""

"""The story's steps, in their order.  Each types commands, looks, and fails loudly."""

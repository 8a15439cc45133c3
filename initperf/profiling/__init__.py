"""A profile of one piece of work: its phases, its compilation, its machine code, its samples."""

"""Tools of the house, not installed: maps, pages, pictures and figures of the source itself."""

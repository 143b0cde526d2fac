"""What a bench run leaves behind: the raw results, and every page, table and comparison made of them."""

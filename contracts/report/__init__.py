"""What the reports of a run have in common: their content, and how a page is made of it."""

"""The study as one page: self-contained HTML made from the journal alone, at any time.

`read_facts` gathers, `parts` makes the pieces of the page, which a live page can renew one by one, and `page` puts them
together. Starts without torch, Ax and Ray, as all of `results` does.
"""

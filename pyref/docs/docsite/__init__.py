"""The site of the documentation: pages of all rooms, the spec with its verdicts, the reference from the docstrings.

`python -m docsite` builds the site into `build/docs`; `tests/support/sitecheck.py` judges a site that was built.
"""

"""The site of the documentation: pages of all rooms, the spec with its verdicts, the reference from the docstrings.

`python -m docsite` builds the site into `build/docs`; `python -m docsite.check` judges a site that was built.
"""

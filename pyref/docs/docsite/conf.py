"""Configuration of Sphinx.

Sphinx reads docstrings of a typed package, resolves links between pages and rules, and has a search without a server; MyST lets the
pages stay the Markdown that a reader of the repository sees. Furo is a theme without a download at run time, in a dark and a light form.
"""

from importlib.metadata import version as version_of

project = "nodechannel"
version = release = version_of("nodechannel")
project_copyright = "the nodechannel authors"
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
default_role = "code"
nitpicky = False

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {
    "members": True,
    "inherited-members": "BaseException,Exception,OSError,bytearray,bytes,dict,float,int,list,object,set,str,tuple,Sequence,TypedDict",
    "show-inheritance": True,
}
python_use_unqualified_type_names = True
napoleon_use_ivar = True
napoleon_custom_sections = ["Cause", "Remedy"]  # of errors

html_theme = "furo"
html_title = f"nodechannel {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["_extra"]
html_show_sphinx = False
html_show_sourcelink = False
html_copy_source = False

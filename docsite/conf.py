"""Settings of Sphinx for the documentation site; ``docsite/build.py`` lays out the pages and calls it."""

project = "duecare"
extensions = ["myst_parser"]
root_doc = "README"
html_theme = "furo"
html_title = "duecare"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0f5f5c", "color-brand-content": "#0f5f5c"},
    "dark_css_variables": {"color-brand-primary": "#7fd1cc", "color-brand-content": "#7fd1cc"},
}
myst_heading_anchors = 4
pygments_style = "default"
pygments_dark_style = "github-dark"

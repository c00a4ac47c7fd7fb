"""Where the vendored files come from: the settings they are compiled with, and the script that does it.  Nothing at run time is here."""

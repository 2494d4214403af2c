"""The commands of ``vision-builder``, a module each.

A module has ``add_command``, which registers its parser and sets ``run`` to what takes the parsed options and returns
an exit status. torch and what else takes seconds to import is imported there, so that ``--help`` comes at once; a
package that is missing then is named by ``__main__``.
"""

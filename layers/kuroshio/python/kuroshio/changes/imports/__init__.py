"""The import closure of handlers: where several functions share one directory, which of its files each is made of.

Pure, and without any package but Python's own. It reads top-down::

    graph.Closures(entries, contents, analyses).of(directory, starts) -> [Closure]
        python_source, script_source    one file's bytes -> Analysis; depends on nothing else, so it is kept by blob id
            script_lexer                where JavaScript's words are words, and not strings, templates or JSX
        python_resolution, script_resolution    an Analysis, placed in a tree -> Links
            script_configs, script_packages     tsconfig.json, package.json
        closure                         Links, followed from a handler -> Closure

A closure is never too small in silence. Whatever can load modules that cannot be known widens it to a folder, with a
sentence that says why; a file that cannot be read or parsed does the same. Ask for the closures at both commits of a
comparison: what only one of them has is a change of the function too.
"""

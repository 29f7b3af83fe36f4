"""Names of Python that load modules in ways which an ``import`` statement does not show.

Sources: the library reference on ``importlib``, ``pkgutil``, ``runpy``, ``site``, ``pickle`` and ``logging.config``;
PEP 562 (module ``__getattr__``) needs ``import_module`` or ``__import__`` and is seen by those.
"""

from __future__ import annotations

# Called with a module's name, they import it.
IMPORTERS = frozenset(
    {
        "__import__",
        "builtins.__import__",
        "importlib.__import__",
        "importlib.import_module",
        "importlib.util.find_spec",
        "pkgutil.find_loader",
        "pkgutil.get_loader",
        "pkgutil.resolve_name",
        "pydoc.locate",
        "runpy.run_module",
    }
)

# Methods and functions of whatever origin that by their name do the same (Django, Werkzeug, Tornado, Pydantic, ...).
IMPORTER_NAMES = frozenset(
    {
        "import_module",
        "import_string",
        "import_object",
        "import_class",
        "import_from_string",
        "lazy_import",
        "load_module",
    }
)

# Read files of the package that their first argument names.
RESOURCES = ("importlib.resources", "importlib_resources", "pkgutil.get_data")

HARMLESS = frozenset(
    {
        "importlib.abc",
        "importlib.invalidate_caches",
        "importlib.metadata",
        "importlib.reload",
        "importlib_metadata",
        "runpy",
    }
)

_PATH = "works with the module search path, so that imports may come from anywhere"
_CODE = "runs text as code, which may import anything"
_FILES = "loads modules from files whose names are computed"
_PICKLE = "unpickles, and the pickled data names the modules that it loads"
_POINTS = "loads modules by entry points"

# References that may lead to any module; the longest prefix counts.
DYNAMIC = {
    "exec": _CODE,
    "eval": _CODE,
    "builtins.exec": _CODE,
    "builtins.eval": _CODE,
    "__builtins__": _CODE,
    "__path__": _PATH,
    "__loader__": _FILES,
    "sys.path": _PATH,
    "sys.meta_path": _PATH,
    "sys.path_hooks": _PATH,
    "sys.path_importer_cache": _PATH,
    "sys.executable": "starts another Python, which may import anything",
    "site.addsitedir": _PATH,
    "importlib": "loads modules by names that are computed",
    "importlib.metadata.entry_points": _POINTS,
    "importlib_metadata.entry_points": _POINTS,
    "pkgutil.iter_modules": _FILES,
    "pkgutil.walk_packages": _FILES,
    "pkgutil.extend_path": _PATH,
    "pkgutil.iter_importers": _FILES,
    "runpy.run_path": _FILES,
    "pickle.load": _PICKLE,
    "pickle.loads": _PICKLE,
    "pickle.Unpickler": _PICKLE,
    "shelve.open": _PICKLE,
    "yaml.unsafe_load": _PICKLE,
    "yaml.unsafe_load_all": _PICKLE,
    "yaml.UnsafeLoader": _PICKLE,
    "logging.config.fileConfig": "loads the classes that a logging configuration names",
    "logging.config.dictConfig": "loads the classes that a computed logging configuration names",
}

# Called with a literal, these show all that they load.
SHOWN_BY_LITERAL = frozenset({"logging.config.dictConfig"})

# Importing these is enough: they exist to load modules by names from elsewhere.
DYNAMIC_MODULES = {
    "airflow": "uses Airflow, which loads modules from its folders",
    "celery": "uses Celery, which loads modules by names in its settings",
    "cloudpickle": _PICKLE,
    "dill": _PICKLE,
    "django": "uses Django, which loads modules by names in its settings",
    "imp": _FILES,
    "joblib": _PICKLE,
    "jsonpickle": _PICKLE,
    "pkg_resources": _POINTS,
    "pluggy": _POINTS,
    "scrapy": "uses Scrapy, which loads modules by names in its settings",
    "stevedore": _POINTS,
    "zipimport": _FILES,
}


# Modules that others hand on under their own names, as in ``os.sys.path``.
_HANDED_ON = frozenset({"builtins", "importlib", "pickle", "pkgutil", "runpy", "site", "sys"})


def doubt_about(qualified: str) -> str | None:
    """Return why a reference to this name widens a closure; None when it does not."""
    at = qualified
    while at:
        if at in HARMLESS or at.startswith(RESOURCES) or at in IMPORTERS:
            return None
        if at in DYNAMIC:
            return DYNAMIC[at]
        at = at.rpartition(".")[0]
    rest = qualified.partition(".")[2]
    while rest and rest.partition(".")[0] not in _HANDED_ON:
        rest = rest.partition(".")[2]
    return doubt_about(rest) if rest else None

"""JavaScript and TypeScript: what a handler or an entry point is made of, construct by construct."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.fakes.imports import bundle, node
from tests.fakes.repository import link

if TYPE_CHECKING:
    from kuroshio.changes.imports.closure import Closure

TREE = {
    "src/lib.ts": "",
    "src/data.json": "",
    "src/folder/index.ts": "",
    "src/main/package.json": '{"main": "./it.js"}',
    "src/main/it.ts": "",
    "src/both.ts": "",
    "src/both/index.ts": "",
    "src/types.d.ts": "",
    "src/old.js": "",
    "src/view.tsx": "",
    "src/other.ts": "",
}


def _of(code: str, name: str = "app.ts", **more: str) -> Closure:
    return bundle({**TREE, f"src/{name}": code, **more}, name)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('import a from "./lib"', "lib.ts"),
        ('import a from "./lib.js"', "lib.ts"),
        ('import a from "./lib.ts"', "lib.ts"),
        ('import a from "./view.jsx"', "view.tsx"),
        ('import a from "./folder"', "folder/index.ts"),
        ('import a from "./folder/"', "folder/index.ts"),
        ('import a from "./main"', "main/it.ts"),
        ('import a from "./both"', "both.ts"),
        ('import a from "./both/"', "both/index.ts"),
        ('import a from "./data.json" with { type: "json" }', "data.json"),
        ('import a from "./types"', "types.d.ts"),
        ("export * from './old'", "old.js"),
        ("import('./lib')", "lib.ts"),
        ("import(`./lib`)", "lib.ts"),
        ("require('./lib')", "lib.ts"),
        ("require.resolve('./lib')", "lib.ts"),
        ("module.require('./lib')", "lib.ts"),
        ("import x = require('./lib')", "lib.ts"),
        ("require('./l\\x69b')", "lib.ts"),
        ("import defer * as x from './lib'", "lib.ts"),
        ("import type from './lib'; type", "lib.ts"),
        ("import { type } from './lib'", "lib.ts"),
        ("import { type as as } from './lib'", "lib.ts"),
        ("import { type A, b } from './lib'", "lib.ts"),
        ("export { type A } from './lib'", "lib.ts"),
        ("import './lib?raw'", "lib?raw"),
        ("const require = createRequire(import.meta.url); require('./lib')", "lib.ts"),
    ],
)
def test_an_import_leads_to_the_file_that_a_bundler_takes(code: str, found: str) -> None:
    closure = _of(code, **{"src/lib?raw": ""})
    assert set(closure.files) == {"src/app.ts", f"src/{found}"}
    assert closure.unknown == ()


@pytest.mark.parametrize(
    "code",
    [
        'import type { A } from "./lib"',
        'import type A from "./lib"',
        'import type from from "./lib"',
        'import { type A, type B as C } from "./lib"',
        'import { type as as B } from "./lib"',
        'export type { A } from "./lib"',
        'export type * from "./lib"',
        "export type A = string",
        '// import "./lib"',
        "const a = `import './lib' ${b} import './lib'`",
        "const a = /import '.\\/lib'/",
        "const a = { import: 1, require: 2 }; a.import",
        "class A { import(x) {} require(x) { return x } }",
        "typeof require === 'function'",
        "import 'node:fs'; import 'fs'; import 'data:text/javascript,1'; import '/opt/nodejs/x'",
    ],
)
def test_what_only_looks_like_an_import_leads_nowhere(code: str) -> None:
    closure = _of(code)
    assert set(closure.files) == {"src/app.ts"}
    assert closure.unknown == ()
    assert closure.external == frozenset()


def test_inline_types_keep_their_import_where_tsconfig_says_so() -> None:
    code, config = 'import { type A } from "./lib"', '{"extends": "./base", "compilerOptions": {}}'
    base = '{ /* it\'s "JSON" */ "compilerOptions": {"verbatimModuleSyntax": true,},}'
    closure = _of(code, **{"tsconfig.json": config, "base.json": base})
    assert "src/lib.ts" in closure.files
    assert {"tsconfig.json", "base.json"} <= closure.manifests


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import(name)", "imports a module whose name is computed"),
        ("require(name)", "requires a module whose name is computed"),
        ("require(`${name}.js`)", "requires a module whose name is computed"),
        ("const load = require; load('./lib')", "hands on require"),
        ("const load = createRequire(x); load('./lib')", "another name"),
        ("require.context('./x')", "uses require.context"),
        ("eval('require(1)')", "runs text as code"),
        ("new Function('return import(1)')", "runs text as code"),
        ("import './generated/client'", "./generated/client, which is not in the repository"),
        ("import '../../../x'", "lies outside the repository"),
        ("import '#nothing'", "no package.json around it defines"),
        ("const a = 'open", "a string without an end"),
        ("const a = `open", "a template without an end"),
        ("/* open", "a comment without an end"),
        ("f(", "ends inside a bracket"),
        (")", "closes nothing"),
        ("r\\u0065quire('./lib')", "writes a name with escapes"),
        ("((" * 5000, "nests more than"),
        ("a" * (2 * 1024 * 1024 + 1), "is larger than"),
    ],
)
def test_what_cannot_be_known_widens_to_the_directory_and_says_why(code: str, reason: str) -> None:
    closure = _of(code)
    assert closure.through("src/other.ts") == ("src/app.ts",)
    assert reason in closure.unknown[0]
    assert closure.unknown[0].startswith("src/app.ts line 1 ")


def test_a_computed_name_below_a_folder_widens_to_that_folder_and_what_it_imports() -> None:
    more = {"src/routes/a.ts": "import '../lib'", "src/routes/b/c.ts": ""}
    closure = _of("import(`./routes/${name}.js`)", **more)
    assert closure.through("src/lib.ts") == ("src/routes/a.ts", "src/app.ts")
    assert closure.through("src/routes/b/new.ts") == ("src/app.ts",)
    assert closure.through("src/other.ts") is None


def test_packages_of_this_repository_are_code_and_others_bring_the_lock_file_in() -> None:
    exports = {"exports": {".": {"types": "./x.d.ts", "import": "./m.ts", "default": "./c.ts"}, "./in/*": "./in/*.ts"}}
    files = {
        "package.json": '{"workspaces": ["packages/*"], "dependencies": {"alias": "file:./vendored"}}',
        "package-lock.json": "",
        "packages/shop/package.json": json.dumps({"name": "@acme/shop", **exports}),
        **dict.fromkeys(
            ("packages/shop/m.ts", "packages/shop/c.ts", "packages/shop/in/a.ts", "packages/shop/z.ts"), ""
        ),
        "vendored/index.js": "",
    }
    closure = _of('import "@acme/shop"; import "@acme/shop/in/a"; import "alias"', **files)
    own = {"packages/shop/m.ts", "packages/shop/c.ts", "packages/shop/in/a.ts", "vendored/index.js"}
    assert set(closure.files) == {"src/app.ts", *own}
    assert "package-lock.json" not in closure.manifests
    with_others = _of('import "@acme/shop"; import _ from "lodash/fp"', **files)
    assert with_others.external == {"lodash"}
    assert {"package.json", "package-lock.json"} <= with_others.manifests


def test_a_package_whose_main_is_built_belongs_as_a_whole() -> None:
    files = {"lib/package.json": '{"name": "lib", "main": "dist/index.js"}', "lib/src/a.ts": ""}
    closure = _of('import "lib"', **files)
    assert closure.through("lib/src/a.ts") == ("src/app.ts",)
    assert closure.unknown == ("src/app.ts line 1 imports lib, which is built from lib by other means",)


def test_names_that_begin_with_a_hash_are_the_nearest_packages() -> None:
    package = {
        "imports": {"#lib": {"node": "./src/lib.js", "default": "#old"}, "#old": "./src/old.js", "#d/*": "dep/*"}
    }
    closure = _of('import "#lib"; import "#d/x"', **{"package.json": json.dumps(package)})
    assert set(closure.files) == {"src/app.ts", "src/lib.ts", "src/old.js"}
    assert closure.external == {"dep"}


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"paths": {"@/*": ["./src/*"]}}, "@/lib"),
        ({"paths": {"@*": ["./nowhere/*"], "@lib": ["./nowhere", "./src/lib"]}}, "@lib"),
        ({"baseUrl": "src"}, "lib"),
        ({"baseUrl": "./src", "paths": {"x/*/y": ["*"]}}, "x/lib/y"),
        ({"paths": {"@/*": ["${configDir}/src/*"]}}, "@/lib.js"),
    ],
)
def test_tsconfig_says_where_names_lead(options: object, name: str) -> None:
    closure = _of(f'import "{name}"', **{"tsconfig.json": json.dumps({"compilerOptions": options})})
    assert set(closure.files) == {"src/app.ts", "src/lib.ts"}
    assert "tsconfig.json" in closure.manifests


@pytest.mark.parametrize(
    ("code", "options"), [("<a/>", {"jsxImportSource": "@lib"}), ("/** @jsxImportSource @lib */ <a/>", {})]
)
def test_elements_import_what_the_compiler_makes_them_of(code: str, options: dict[str, object]) -> None:
    config = json.dumps({"compilerOptions": {"paths": {"@lib/*": ["./jsx/*"]}, **options}})
    closure = _of(code, "app.tsx", **{"tsconfig.json": config, "jsx/jsx-runtime.ts": ""})
    assert set(closure.files) == {"src/app.tsx", "jsx/jsx-runtime.ts"}


def test_tsconfigs_that_extend_each_other_end() -> None:
    files = {"tsconfig.json": '{"extends": ["./b.json"]}', "b.json": '{"extends": "./tsconfig.json"}'}
    assert set(_of('import "./lib"', **files).files) == {"src/app.ts", "src/lib.ts"}


def test_a_handler_is_found_as_node_finds_it() -> None:
    files = {"src/handlers/foo.mjs": "import '../lib.mjs'", "src/lib.mjs": "", "src/other.js": ""}
    assert set(node(files, "handlers/foo.sub.handler").files) == {"src/handlers/foo.mjs", "src/lib.mjs"}
    assert node(files, "handlers/bar.handler").unknown


def test_files_that_travel_with_the_code_may_be_reached_by_their_paths() -> None:
    files = {
        "src/app.js": "new Worker('./worker.js'); fs.readFileSync(__dirname + '/a.sql')",
        "src/worker.js": "import './b.js'",
    }
    closure = node({**files, "src/b.js": "", "src/a.sql": "", "src/c.js": ""}, "app.handler")
    assert closure.through("src/b.js") == ("src/worker.js", "src/app.js")
    assert closure.through("src/a.sql") == ("src/app.js",)
    assert closure.through("src/c.js") is None


def test_links_lead_to_where_the_files_are() -> None:
    files = {
        "src/app.ts": 'import "./shared/a"',
        "src/shared": link("../common"),
        "common/a.ts": 'import "./b"',
        "common/b.ts": "",
    }
    closure = bundle(files, "app.ts")
    assert set(closure.files) == {"src/app.ts", "common/a.ts", "common/b.ts"}
    assert "src/shared" in closure.manifests


def test_all_entry_points_of_a_function_are_its_own_and_one_that_is_missing_widens() -> None:
    closure = bundle({"src/a.ts": "", "src/b.ts": ""}, "a.ts", "b")
    assert set(closure.files) == {"src/a.ts", "src/b.ts"}
    assert bundle({"src/a.ts": ""}, "dist/a.js").unknown == ("the entry point dist/a.js is not in the repository",)

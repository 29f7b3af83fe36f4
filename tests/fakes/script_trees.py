"""Random trees of JavaScript and TypeScript, and esbuild, which says what it bundles for each entry point."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import strategies as st

_NAMES = ["app", "core", "db", "index", "orders", "x"]
_FOLDERS = ["", "lib", "lib/deep", "handlers", "core"]
_TYPED = [".ts", ".tsx", ".mts", ".cts"]
_PLAIN = [".js", ".jsx", ".mjs", ".cjs"]

# {to}: the module, {n}: a number that makes names unique.
_IMPORTS = [
    'import {{ a as a{n} }} from "{to}"; use(a{n});',
    'import d{n} from "{to}"; use(d{n});',
    "import d{n}, {{ a as a{n}, b as b{n} }} from '{to}' ; use(d{n}, a{n}, b{n})",
    'import * as s{n} from "{to}"; use(s{n});',
    'import d{n}, * as s{n} from "{to}"; use(s{n}, d{n});',
    'import "{to}";',
    'import"{to}"',
    'import {{ a as a{n}, }} from /* "./no" */ "{to}"; use(a{n})',
    "import {{\n  a as a{n}, // it's here\n  b as b{n}\n}} from '{to}';\nuse(a{n})",
    'export * from "{to}";',
    'export * as s{n} from "{to}";',
    'export {{ a as e{n} }} from "{to}";',
    'export {{a as e{n},b as f{n}}}from"{to}"',
    'import("{to}").then(use);',
    "const l{n} = async () => await import(`{to}`); use(l{n});",
    'use(import(/* webpackChunkName: "./no" */ "{to}"));',
    'const r{n} = require("{to}"); use(r{n});',
    "use(require(`{to}`).a, require ( '{to}' ));",
    'const f{n} = () => {{ return require("{to}").a / 2 / 3 }}; use(f{n});',
    'if (use) {{ use(`a${{require("{to}").a}}b${{`c${{import("{to}")}}`}}`) }}',
    'try {{ require("{to}") }} catch {{}}',
    'use(`a${{require("{to}").a}}b`);',
    "use(require('{escaped}'));",
]
_TYPED_IMPORTS = [
    'import {{ a as a{n} }} from "{to}";',  # esbuild drops what nobody uses
    'import type {{ T as T{n} }} from "{to}";',
    'import type D{n} from "{to}"; let v{n}: D{n};',
    'import {{ type T as T{n} }} from "{to}"; use(null as any as T{n});',
    'import {{ type T as T{n}, a as a{n} }} from "{to}"; use(a{n});',
    'export type {{ T as T{n} }} from "{to}";',
    'export {{ type T as T{n} }} from "{to}";',
    'import r{n} = require("{to}"); use(r{n});',
    'type I{n} = import("{to}").T; use(0 as any as I{n});',
    "enum E{n} {{ A = 1 }} namespace N{n} {{ export const z = 1 }} use(E{n}, N{n});",
]
_COMPUTED = [
    "use(import(`./{folder}${{name}}.js`));",
    'use(require("./{folder}" + name));',
    "use(import(name));",
]
# Everything here looks like an import of ./no and is none, or makes a careless scanner lose its place.
_NOISE = [
    '// import "./no"',
    '/* require("./no") */',
    "/** don't * / import './no' **/",
    """use("import './no'", 'require("./no")');""",
    "use(`import './no' ${name} require('./no')`);",
    "use(`${`${'`'}`} import('./no')`);",
    "use(/['\"`]/g.test(name), /[/\\]'\"]/.exec(name));",
    "use(name / 2 / 1, name /2/ 1);",
    "if (name) /import('.\\/no')/.test(name);",
    "let q{n} = name ? /'/ : /`/; use(q{n});",
    "function g{n}() {{ return /'/ }} use(g{n});",
    "function h{n}() {{}}\n/`/.test(name);",
    "{{ }} /'/.test(name);",
    "let i{n} = 1; use(i{n}++ / 2, '/'); use(++i{n} / 2, `/`);",
    "use((name) / 1, [1][0] / 2, '/');",
    "use({{ import: 1, require: 2, export: 3 }}.import, use.require, use.import);",
    "use({{ import() {{ return 1 }}, require(a) {{ return a }} }});",
    "class K{n} {{ import(a) {{}} static require(a) {{ return a / 1 }} #import = 1 }} use(K{n});",
    "label{n}: for (const z of [/'/]) {{ if (z) break label{n} }}",
    "use(typeof /'/, void /`/, !/\"/.test(name));",
    "use(a => /'/, () => ({{}}) / 1);",
    "use('\\\n', '\\'', \"\\\"\", `\\``, `\\${{`);",
    "use(1. / 2, .5 / 1, 0x1f / 1, 1_000 / 3, 2n / 1n);",
    "use(name\n/ 2 / 1); do /'/.test(name); while (0)",
    "use(name ?.[0], name ? .5 : 1, name?.require);",
    "var $import = 1, import$ = 2, _require = 3, requires = use; use($import, import$, requires('./no'));",
    "switch (name) {{ case /'/: break; default: /`/ }}",
    "for (;;) /'/.test(name), use(1)\nbreakit: break breakit",
    "use(import.meta.url, '//', /\\//, /[/]/);",
]
_JSX = [
    """use(<div>don't {{/* ' */}} ` import "./no"</div>);""",
    """use(<a title="it's" b='"' c={{'}}'}} d=<i>'</i> {{...name}}/>);""",
    "use(<><b>{{name && <i>'{{`</i>`}}</i>}}</b></>, 1 / 2, '/');",
    "use(name ? <a/> : <b>`</b>, <c.d.e x-y='1' />);",
    "const j{n} = () => <p>require('./no') {{`${{<q>'</q>}}`}} // no comment</p>; use(j{n});",
    "use(<a b={{() => {{ return <c>'</c> }}}}>/* ' */</a>);",
    "use(name < 1, name<2, 3 > name, '<a>');",
    "function C{n}() {{ return <a>{{[1].map(i => <b key={{i}}>it's</b>)}}</a> }} use(C{n});",
]
_TYPED_NOISE = [
    "let t{n}: Array<string> = []; use(t{n}!, t{n}! / 1, '/');",
    "function o{n}<T extends {{ a: '`' }}>(x: T, y?: /* ' */ string): x is T {{ return true }} use(o{n});",
    "abstract class A{n}<T> {{ private constructor(readonly x: T) {{}} declare y: '\"' }} use(A{n});",
    "declare module 'foo' {{ export const a: number }}",
    "const u{n} = name satisfies unknown as any; use(u{n} / 1, '/');",
    "interface R{n} {{ require(id: string): any; import: '`' }} use(0 as any as R{n});",
    "use(((x: number): x is 1 => x > 0 / 1)(1), '/');",
]
_ASSERTIONS = ["use(<any>0, <Array<string>>[], '<');", "use(<any>/'/, <T>(x: T) => x, '<');"]
_TSX_NOISE = [
    "const w{n} = <T,>(x: T) => x; use(w{n}, '<');",
    "const w{n} = <T extends object>(x: T) => x; use(w{n}, '<');",
    'type F{n} = <T>(x: T) => T; use(0 as any as F{n}, "\'");',
    "use(<use.Foo<string> a='1'>'</use.Foo>);",
]
_PREAMBLE = "declare const name: any, use: any;\n"
_EXPORTS = "\nexport const a = 1, b = 2; export default 3;\n"
_TYPES = "export type T = 1;\n"


def trees() -> st.SearchStrategy[tuple[dict[str, str], list[str]]]:
    """Draw a repository with code below ``src/``, a workspace package and configuration, and its entry points."""
    return st.integers(0, 2**48).map(_tree)


def _tree(seed: int) -> tuple[dict[str, str], list[str]]:
    chance = Random(seed)  # noqa: S311 - no secret
    suffixes = _TYPED[:2] * 3 + _TYPED + _PLAIN
    drawn = [(chance.choice(_FOLDERS), chance.choice(_NAMES), chance.choice(suffixes)) for _ in range(7)]
    paths = sorted({_path(*each) for each in drawn})
    packages = sorted({_path("shop", chance.choice(_NAMES), ".ts") for _ in range(chance.randint(0, 3))})
    files = _configuration(chance)
    everything = [*paths, *packages]
    for path in everything:
        files[path] = _module(chance, path, everything)
    files["src/data.json"] = "{}"
    entries = chance.sample(paths, min(3, len(paths)))
    return files, [entry.removeprefix("src/") for entry in entries]


def _path(folder: str, name: str, suffix: str) -> str:
    above = "packages/shop" if folder == "shop" else f"src/{folder}".rstrip("/")
    return f"{above}/{name}{suffix}"


def _configuration(chance: Random) -> dict[str, str]:
    options: dict[str, Any] = {}
    if chance.choice([True, False]):
        options |= {"baseUrl": chance.choice([".", "src", "./src/lib"])}
    paths = {"@/*": ["./src/*"], "@lib/*": ["./src/nowhere/*", "./src/lib/*"], "the-core": ["./src/core/index"]}
    base = {"compilerOptions": {"paths": paths}}
    options |= chance.choice([{}, {"verbatimModuleSyntax": True}, {"isolatedModules": True}])
    shop = {"name": "@acme/shop", "version": "1.0.0"}
    shop |= chance.choice([{}, {"exports": {".": "./index.ts", "./*": "./*.ts"}}, {"main": "index.ts"}])
    package = {"name": "root", "workspaces": ["packages/*"], "imports": {"#src/*": "./src/*", "#db": "./src/db.ts"}}
    return {
        "tsconfig.base.json": f"/* it's JSON */ {json.dumps(base)[:-1]}, // with comments\n}}",
        "tsconfig.json": json.dumps({"extends": "./tsconfig.base.json", "compilerOptions": options}),
        "packages/shop/package.json": json.dumps(shop),
        "package.json": json.dumps(package),
        "package-lock.json": "{}",
    }


def _module(chance: Random, path: str, everything: list[str]) -> str:
    typed, jsx = path.endswith((".ts", ".tsx", ".mts", ".cts")), path.endswith("x")
    noise = _NOISE + (_JSX if jsx else []) + (_TYPED_NOISE if typed else []) + (_TSX_NOISE if jsx and typed else [])
    noise += _ASSERTIONS if path.endswith(".ts") else []
    imports = _IMPORTS + (_TYPED_IMPORTS if typed else [])
    lines: list[str] = []
    for n in range(chance.randint(0, 4)):
        if not chance.randint(0, 2):
            lines.append(_filled(chance.choice(noise), n=n))
        elif not chance.randint(0, 20):
            folders = {
                f"{each.split('/')[1]}/" for each in everything if each.startswith("src/") and each.count("/") > 1
            }
            folder = chance.choice(sorted(folders)) if folders and path.count("/") == 1 else ""
            lines.append(_filled(chance.choice(_COMPUTED), n=n, folder=folder))
        else:
            to = _specifier(chance, path, chance.choice(everything))
            escaped = to.replace("r", "\\x72").replace("e", "\\u0065").replace("d", "\\u{64}").replace("o", "\\o")
            lines.append(_filled(chance.choice(imports), n=n, to=to, escaped=escaped))
    ends = chance.choice(["\n", "\r\n", "; "]) if not any("//" in line for line in lines) else "\n"
    return (_PREAMBLE if typed else "") + ends.join(lines) + _EXPORTS + (_TYPES if typed else "")


def _filled(text: str, **values: object) -> str:
    """Fill in what is named; other braces are JavaScript's, doubled where they would be mistaken."""
    for name, value in values.items():
        text = text.replace("{" + name + "}", f"\0{value}\0")
    return text.replace("{{", "{").replace("}}", "}").replace("\0", "")


def _specifier(chance: Random, importer: str, target: str) -> str:
    stem, _, suffix = target.rpartition(".")
    suffix = "ts" if target.startswith("packages/") else suffix
    ways = [_relative(importer, target)]
    if suffix in ("ts", "tsx", "js", "jsx"):
        ways += [_relative(importer, stem)] * 3
    if importer.endswith(("ts", "tsx")) and suffix in ("ts", "tsx", "mts", "cts"):
        ways.append(_relative(importer, f"{stem}.{suffix.replace('t', 'j', 1).replace('jsx', 'js')}"))
    if stem.endswith("/index") and suffix in ("ts", "tsx", "js"):
        ways += [_relative(importer, stem.removesuffix("/index")) or "."] * 2
    if target.startswith("src/") and importer.startswith("src/"):
        ways += ["@/" + target[4:], "#" + target]
    if target.startswith("src/lib/"):
        ways += ["@lib/" + target[8:]]
    if target.startswith("packages/shop/"):
        ways += ["@acme/shop/" + stem[14:]] + ["@acme/shop"] * stem.endswith("/index")
    if target in ("src/core/index.ts", "src/core/index.tsx", "src/core/index.js"):
        ways.append("the-core")
    if target == "src/db.ts" and importer.startswith("src/"):
        ways.append("#db")
    ways += ["lodash", "node:fs", "fs", "./" * 2 + "../" * importer.count("/") + "src/data.json"]
    return chance.choice(ways)


def _relative(importer: str, target: str) -> str:
    here, there = importer.split("/")[:-1], target.split("/")
    while here and there and here[0] == there[0]:
        here, there = here[1:], there[1:]
    return "/".join([*([".."] * len(here) or ["."]), *there])


_ROOT = Path(__file__).parents[2]
_LOCK = _ROOT / "requirements/tools/esbuild-node/package-lock.json"


def installed() -> Path:
    """Return the bundler, installed by its lock file; its own install script only moves the program about."""
    home = _ROOT / "build/tools/esbuild-node"
    home.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_LOCK.with_name(name), home / name)
    if not (home / "node_modules").exists() or (home / "node_modules").stat().st_mtime < _LOCK.stat().st_mtime:
        command = ["npm", "ci", "--silent", "--ignore-scripts", "--prefix", str(home)]
        subprocess.run(command, check=True, capture_output=True)
    return next((home / "node_modules/@esbuild").glob("*/bin/esbuild"))


class Esbuild:
    """The bundler, asked for what it would bundle."""

    def __init__(self, binary: Path) -> None:
        self._binary = binary

    def inputs(self, root: Path, entry_points: list[str]) -> tuple[dict[str, set[str]], str]:
        """Return what is bundled for each entry point, by paths in ``root``; or nothing and what esbuild says."""
        meta = root / "out/meta.json"
        options = [
            "--bundle",
            "--platform=node",
            "--outdir=out/js",
            f"--metafile={meta}",
            "--log-limit=0",
            "--format=cjs",
        ]
        options += ["--external:lodash", "--jsx=preserve", "--outbase=.", "--loader:.jsx=jsx"]
        command = [str(self._binary), *(f"src/{entry}" for entry in entry_points), *options]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode:
            return {}, done.stderr
        graph = json.loads(meta.read_text())["inputs"]
        return {entry: _reached(graph, f"src/{entry}") for entry in entry_points}, ""


def _reached(graph: dict[str, Any], start: str) -> set[str]:
    found, waiting = {start}, [start]
    while waiting:
        for each in graph[waiting.pop()]["imports"]:
            if not each.get("external") and each["path"] in graph and each["path"] not in found:
                found.add(each["path"])
                waiting.append(each["path"])
    return found

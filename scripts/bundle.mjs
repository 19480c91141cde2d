// Makes the JavaScript that a package publishes: one file for each entry point, with a source map, over a few parts that entry
// points share. Importing a file costs about as much as reading 50 KiB of one, so few files start several times as fast as one
// for each source; and what entry points share stands in one part only, so that `instanceof` holds between them.
//
//   dist/index.js, dist/x509/index.js ...   the entry points, and the command's program
//   dist/parts/NAME.js                      what they share: the table below says which sources are in which part
//   dist/chunks/NAME-HASH.js                what a command loads when it needs it
//
// `npm run build` runs it, after the compiler has checked the types and written the declarations.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, posix, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { build, transform } from "esbuild"

const root = fileURLToPath(new URL("..", import.meta.url))

/** What `tls13 bench` and `puremq bench` share: what knows no handshake. */
const benchShared = [
  ...["addresses", "child-side", "children", "clock", "command", "compare", "conditions", "engine", "files", "limit"],
  ...["load", "machine", "notes", "plan", "ports", "processes", "progress", "reporting", "run-samples"],
  ...["sample-collector", "samples", "summarize", "together", "told"],
]

/**
 * Of each package: the programs of its commands, processes and threads, and its parts with the beginnings of the paths of their sources; the first that fits
 * counts. A source that is in no part is bundled with the entry point or the command that leads to it.
 */
const packages = {
  tls13: {
    programs: ["src/cli/main.ts", "src/cli/bench/child.ts", "src/adapters/node/workers/thread.ts"],
    parts: {
      noble: ["src/crypto/noble/"],
      // What @noble/post-quantum, which need not be there, is not imported for.
      hybrid: ["alone", "hybrid", "kem"].map((name) => `src/crypto/noble-pq/${name}.ts`),
      "ml-kem": [
        ...["ml-kem-kernel", "with-x25519mlkem768"].map((name) => `src/crypto/fast-pq/${name}.ts`),
        "src/crypto/fast/webassembly/modules/ml-kem.ts",
      ],
      "noble-pq": ["src/crypto/noble-pq/"],
      more: ["src/crypto/more/"],
      "fast-pq": ["src/crypto/fast-pq/"],
      fast: ["src/crypto/fast/"],
      host: ["src/crypto/host/"],
      rsa: ["src/crypto/rsa/"],
      basics: ["src/bytes/", "src/crypto/"],
      core: [
        "src/codec/",
        "src/connection/",
        "src/handshake/",
        "src/record/",
        "src/schedule/",
        "src/session/session.ts",
      ],
      hpke: ["src/hpke/"],
      ech: ["src/ech/"],
      session: ["src/session/"],
      captures: ["capture", "tcp-", "pcapng", "saved-trace", "file-error"].map((name) => `src/trace/${name}`),
      trace: ["src/trace/"],
      x509: ["src/x509/"],
      devcert: ["src/devcert/"],
      node: ["src/adapters/node/"],
      adapters: ["src/adapters/"],
      measure: ["src/measure/"],
      bench: ["src/cli/arguments.ts", ...benchShared.map((name) => `src/cli/bench/${name}.ts`)],
      "command-line": ["src/cli/command-line.ts", "src/cli/nearest.ts"],
    },
  },
  broker: {
    programs: ["src/cli/main.ts"],
    parts: {
      packet: ["src/packet/"],
      core: ["src/routing/", "src/ports/", "src/session/", "src/client/", "src/hub/"],
      "mqtt-client": ["src/mqtt-client/"],
      outfit: [
        ...["src/access/acl.ts", "src/access/lines.ts", "src/access/rule-tree.ts", "src/access/simple.ts"],
        ...["src/buses/local.ts", "src/codecs/plain", "src/stores/forgetful.ts", "src/embed/"],
      ],
      // ConfigError and defaults, which every part may need.
      settings: ["src/config/config.ts"],
      // With jose, which the first token loads.
      tokens: ["src/access/token-verify.ts"],
      login: ["src/access/", "src/config/re", "src/config/rules.ts", "src/admin/throttle.ts"],
      "config-files": ["load", "print", "text-file", "pem-file", "schema/json-schema", "sources/"].map(
        (name) => `src/config/${name}`,
      ),
      config: [
        ...["schema/", "check", "limits", "certificate", "changes"].map((name) => `src/config/${name}`),
        "src/listen/tls-choices.ts",
      ],
      "node-hashes": ["src/platform/node-argon2.ts", "src/platform/node-pbkdf2.ts", "src/platform/node-scrypt.ts"],
      "admin-http": ["src/admin/http/"],
      admin: ["src/admin/", "src/config/certificate.ts", "src/listen/"],
      "node-stores": ["src/stores/node-"],
      stores: ["src/stores/"],
    },
  },
}

for (const [name, table] of Object.entries(packages)) await bundlePackage(join(root, "packages", name), table)

async function bundlePackage(folder, { programs, parts }) {
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  const entries = Object.values(exports).flatMap((target) => target["@puremq/source"]?.replace(/^\.\//, "") ?? [])
  const begins = [...entries, ...programs]
  const partOf = (source) =>
    begins.includes(source)
      ? undefined
      : Object.keys(parts).find((part) => parts[part].some((beginning) => source.startsWith(beginning)))

  const { metafile } = await bundle(folder, { entryPoints: begins, splitting: true })
  const shared = sharedSources(metafile.inputs, partOf)
  const files = []
  for (const part of Object.keys(parts)) {
    const sources = shared.filter((source) => partOf(source) === part)
    if (sources.length === 0) continue
    refuseTwins(folder, sources)
    const contents = sources.map((source) => `export * from "./${source}"\n`).join("")
    const stdin = { contents, resolveDir: folder, sourcefile: `${part}.ts` }
    const plugins = [otherParts(folder, (source) => (partOf(source) === part ? undefined : partOf(source)))]
    files.push(...(await bundle(folder, { stdin, outfile: `dist/parts/${part}.js`, plugins })).outputFiles)
  }
  const plugins = [otherParts(folder, partOf)]
  files.push(...(await bundle(folder, { entryPoints: begins, splitting: true, plugins })).outputFiles)

  const dist = join(folder, "dist")
  removeBuilt(dist)
  for (const { path, text } of files) {
    mkdirSync(dirname(path), { recursive: true })
    const linked = text.replace(/"part:([\w-]+)"/g, (_, part) =>
      JSON.stringify(relativePath(path, join(dist, `parts/${part}.js`))),
    )
    const placed = linked.replace(/"at:([^"]+)"/g, (_, to) => JSON.stringify(relativePath(path, join(folder, to))))
    writeFileSync(path, /[\\/]parts[\\/][\w-]+\.js$/.test(path) ? await withPureConstants(placed) : placed)
  }
}

function bundle(folder, options) {
  return build({
    absWorkingDir: folder,
    bundle: true,
    ...(options.outfile === undefined && { outbase: "src", outdir: "dist", chunkNames: "chunks/[name]-[hash]" }),
    platform: "neutral",
    target: "es2022",
    format: "esm",
    packages: "external",
    sourcemap: true,
    // The package has its sources: the maps lead to them.
    sourcesContent: false,
    // An import of types only is none.
    tsconfigRaw: { compilerOptions: { target: "es2022", useDefineForClassFields: true } },
    metafile: true,
    write: false,
    logLevel: "warning",
    ...options,
  })
}

/** The sources in a part that are imported from outside of it: they are what it exports. */
function sharedSources(inputs, partOf) {
  const shared = new Set()
  for (const [source, { imports }] of Object.entries(inputs)) {
    for (const { path, external } of imports) {
      if (!external && partOf(path) !== undefined && partOf(path) !== partOf(source)) shared.add(path)
    }
  }
  return [...shared].sort()
}

/** A part exports what its sources do, so no two of them may export the same name: `export *` would give neither. */
function refuseTwins(folder, sources) {
  const owners = new Map()
  for (const source of sources) {
    const text = readFileSync(join(folder, source), "utf8")
    for (const [, name] of text.matchAll(/^export (?:const|let|class|abstract class|function\*?) (\w+)/gm)) {
      const owner = owners.get(name) ?? source
      if (owner !== source) throw new Error(`${source} and ${owner} both export ${name}: rename one of them`)
      owners.set(name, source)
    }
  }
}

/** Leaves what is in another part to that part's file: `part:NAME` until it is known where the importing file is. */
function otherParts(folder, otherPartOf) {
  return {
    name: "other-parts",
    setup(esbuild) {
      esbuild.onLoad({ filter: /\.ts$/ }, ({ path }) => ({ contents: withPlaces(folder, path), loader: "ts" }))
      esbuild.onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) => {
        if (kind === "entry-point") return undefined
        const part = otherPartOf(relative(folder, join(resolveDir, path)).replaceAll("\\", "/"))
        return part === undefined ? undefined : { path: `part:${part}`, external: true, sideEffects: false }
      })
    },
  }
}

/**
 * `"sideEffects": false` speaks of files: who uses one thing of a part would carry each constant of it that a bundler does not
 * know to do nothing but be. Each is marked as what it is. No line is added, so source maps stay right.
 */
async function withPureConstants(text) {
  const plain = String.raw`class\b|function\b|["'\`]|-?\d[\w.]*;|\/\* @__PURE__ \*\/ \(\(\) =>`
  const constant = new RegExp(String.raw`^var (\w+) = (?!${plain})([^]*?);$(?=\n+[^\s})\]]|\n*(?![^]))`, "gm")
  const marked = text.replace(constant, (_, name, value) => `var ${name} = /* @__PURE__ */ (() => (${value}))();`)
  await transform(marked, { format: "esm" })
  return marked
}

/** Where an entry point's or a program's source is built to. */
function outputOf(source) {
  return source.replace(/^src\//, "dist/").replace(/\.ts$/, ".js")
}

/**
 * A source, with what it names by its own place (a thread's program, package.json) as `at:PATH` from the package's folder: bundled,
 * it will be elsewhere than the file that a compiler would make of it alone.
 */
function withPlaces(folder, path) {
  const home = dirname(outputOf(relative(folder, path).replaceAll("\\", "/")))
  return readFileSync(path, "utf8")
    .replace(/(?<=new URL\()"(\.[^"]+)"(?=, import\.meta\.url\))/g, (_, to) => `"at:${posix.join(home, to)}"`)
    .replace(/(?<=createRequire\(import\.meta\.url\)\()"(\.[^"]+)"/g, (_, to) => `"at:${posix.join(home, to)}"`)
}

/** How one file names another. */
function relativePath(from, to) {
  const path = relative(dirname(from), to).replaceAll("\\", "/")
  return path.startsWith(".") ? path : `./${path}`
}

/** What an earlier build made, or a compiler that wrote a file for each source. Declarations are the compiler's. */
function removeBuilt(dist) {
  for (const file of readdirSync(dist, { recursive: true })) {
    if (/\.js(\.map)?$/.test(file)) rmSync(join(dist, file))
  }
}

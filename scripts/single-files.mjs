// `npm run bundle`: the broker as single files, in dist-bin/, which git ignores. First puremq.mjs, all of it in one file, which
// Node.js, Deno and Bun run as it is; then of that an executable each, with the runtime in it: they need nothing that is installed.

import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { build } from "esbuild"
import { programOf } from "../runtime-tests/install.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const folder = join(root, "dist-bin")
const script = join(folder, "puremq.mjs")
const suffix = process.platform === "win32" ? ".exe" : ""
const executable = (name) => join(folder, `puremq-${name}${suffix}`)

const help = `The broker as single files, in dist-bin/.

  npm run bundle [-- NAME...]

  NAME      one of script, node, deno, bun (default: all of them)
  --help    this text

  script    puremq.mjs, for a Node.js, Deno or Bun that is there
  node      puremq-node, a single executable application of Node.js 26
  deno      puremq-deno, by deno compile, which downloads its base (denort) the first time
  bun       puremq-bun, by bun build --compile

Deno, Bun and Node.js 26 are installed from npm under .peers/. What cannot be made is said in a line. The exit status is 1
when one that was asked for by name is not made.`

/** By its name; each resolves with why it was impossible, or undefined. */
const makers = {
  script: async () => undefined, // it is there before the others
  async node() {
    const node = await programOf("node26")
    if ("refused" in node) return node.refused
    const config = join(folder, "node.json")
    const settings = {
      main: script,
      mainFormat: "module",
      output: executable("node"),
      disableExperimentalSEAWarning: true,
    }
    writeFileSync(config, `${JSON.stringify(settings)}\n`)
    const problem = run(node.program, ["--build-sea", config])
    rmSync(config)
    return problem
  },
  async deno() {
    const deno = await programOf("deno")
    if ("refused" in deno) return deno.refused
    return run(deno.program, ["compile", "--no-config", "--no-check", "-A", "-o", executable("deno"), script])
  },
  async bun() {
    const bun = await programOf("bun")
    return "refused" in bun
      ? bun.refused
      : run(bun.program, ["build", "--compile", script, "--outfile", executable("bun")])
  },
}

/**
 * Makes the script, and these of it.
 * @returns {Promise<Record<string, { file: string } | { refused: string }>>}
 */
export async function makeSingleFiles(names) {
  mkdirSync(folder, { recursive: true })
  await makeScript()
  const made = {}
  for (const name of names) {
    const file = name === "script" ? script : executable(name)
    if (file !== script) rmSync(file, { force: true })
    const refused = await makers[name]()
    made[name] = refused === undefined ? { file } : { refused }
  }
  return made
}

/** With all that it loads in it: what names a file by its own place has another here. */
async function makeScript() {
  const thread = await build({ ...common("packages/tls13/src/adapters/node/workers/thread.ts"), format: "cjs" })
  await build({
    ...common("packages/broker/src/cli/main.ts"),
    format: "esm",
    outfile: script,
    write: true,
    // For the packages in it that are CommonJS.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    plugins: [inOneFile(thread.outputFiles[0].text)],
  })
}

function common(source) {
  return {
    absWorkingDir: root,
    entryPoints: [source],
    bundle: true,
    write: false,
    platform: "node",
    target: "node20",
    conditions: ["@puremq/source"],
    logLevel: "warning",
  }
}

function inOneFile(thread) {
  const worker = 'new Worker(new URL("./thread.js", import.meta.url), {'
  return {
    name: "in-one-file",
    setup(esbuild) {
      esbuild.onLoad({ filter: /workers[\\/]pool\.ts$/ }, ({ path }) => {
        const text = readFileSync(path, "utf8")
        if (!text.includes(worker))
          throw new Error(`${path} starts its threads otherwise: mend scripts/single-files.mjs`)
        const contents = text.replace(worker, () => `new Worker(${JSON.stringify(thread)}, { eval: true,`)
        return { contents, loader: "ts" }
      })
      esbuild.onLoad({ filter: /broker[\\/]src[\\/]cli[\\/]bench[\\/]bench\.ts$/ }, () => ({
        contents: `import { UsageError } from "@puremq/tls13/command-line"
export const bench = () => { throw new UsageError("bench starts programs of the package and is not in a single file: npx puremq bench") }`,
        loader: "ts",
      }))
    },
  }
}

/** @returns why it failed, in a line */
function run(program, args) {
  const { status, stderr, error } = spawnSync(program, args, {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdio: ["ignore", "ignore", "pipe"],
  })
  if (status === 0) return undefined
  const [told = ""] = (error?.message ?? stderr).split("Stack backtrace")
  const lines = told.split("\n").map((line) => line.trim())
  const said =
    lines.find((line) => /^(error|\d+): error/i.test(line)) ?? lines.find((line) => /^error/i.test(line)) ?? lines[0]
  return `${[program, ...args].join(" ")}: ${said ?? `status ${status}`}`.replaceAll(root, "")
}

async function main(args) {
  if (args.includes("--help")) {
    console.log(help)
    return 0
  }
  const unknown = args.find((name) => !Object.hasOwn(makers, name))
  if (unknown !== undefined) {
    console.error(
      `bundle: unknown ${unknown.startsWith("-") ? "option" : "name"} ${unknown}; one of: ${Object.keys(makers).join(", ")}`,
    )
    return 2
  }
  const names = args.length > 0 ? args : Object.keys(makers)
  let refused = 0
  for (const [name, made] of Object.entries(await makeSingleFiles(names))) {
    if ("refused" in made) {
      refused++
      console.error(`  not made  ${name}: ${made.refused}`)
    } else {
      const size = (statSync(made.file).size / 1_048_576).toFixed(1)
      console.log(`  ${made.file.slice(root.length)}, ${size} MiB`)
    }
  }
  return args.length > 0 && refused > 0 ? 1 : 0
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) process.exitCode = await main(process.argv.slice(2))

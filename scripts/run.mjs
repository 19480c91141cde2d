// What `npm start`, `npm test`, `npm run interop` ... run. In a fresh clone it installs and builds what is missing first,
// and says so in one line each. Plain JavaScript without dependencies: it runs before anything is installed.

import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { generated, sourcesState } from "./sources-state.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const inRoot = (...path) => join(root, ...path)

const commands = {
  start: (args) => runProgram("packages/broker/dist/cli/main.js", ["start", ...args]),
  puremq: (args) => runProgram("packages/broker/dist/cli/main.js", args),
  tls13: (args) => runProgram("packages/tls13/dist/cli/main.js", args),
  bench: (args) => runProgram("packages/bench/dist/main.js", args),
  interop: (args) => runBundled("packages/tls13/interop/main.ts", args),
  model: (args) => runBundled("packages/tls13/model/main.ts", args),
  fuzz: (args) => runBundled("packages/tls13/fuzz/main.ts", args),
  hostile: (args) => runBundled("packages/broker/hostile/main.ts", args),
  simulate: (args) => runBundled("packages/broker/simulator/main.ts", args),
  crash: (args) => runBundled("packages/broker/crash/main.ts", args),
  cluster: (args) => runBundled("packages/broker/cluster/main.ts", args),
  contract: (args) => runBundled("packages/broker/contract/main.ts", args),
  paho: (args) => runBundled("packages/broker/paho/main.ts", args),
  limbo: (args) => runBundled("packages/tls13/limbo/main.ts", args),
  bogo: (args) => runBundled("packages/tls13/bogo/main.ts", args),
  runtimes: (args) => runProgram("runtime-tests/run.mjs", args),
  hosts: (args) => runBundled("packages/broker/hosts/main.ts", args),
  bundle: (args) => runProgram("scripts/single-files.mjs", args),
  conformance: (args) => runBundled("scripts/conformance/main.ts", args),
  examples: (args) => runProgram("examples/run/main.mjs", args),
  course: (args) => runProgram("scripts/course/main.mjs", args),
  release: (args) => runProgram("scripts/release/main.mjs", args),
  size: (args) => runProgram("scripts/size.mjs", args),
  explorer: (args) => runProgram("packages/explorer/build/main.mjs", args),
  build: () => 0,
  check: () => report([...staticChecks(), tests(["scripts/floors.test.ts"])]),
  types: () => report([stepBuild(), stepTypes()]),
  lint: () => report([stepLint()]),
  // Tests that stand beside their sources.
  "test:unit": (args) => report([tests(["packages/tls13/src", "packages/broker/src", "packages/bench/src", ...args])]),
  "test:watch": (args) => run(process.execPath, [inRoot("node_modules/vitest/vitest.mjs"), "watch", ...args]),
  // With arguments (a path, -t NAME ...) only vitest runs, with them.
  test: (args) => report(args.length > 0 ? [tests(args)] : [...staticChecks(), tests([])]),
}

/** These count a failed build as one of their failures and go on, or do not need it. */
const runsWithoutBuild = ["check", "test", "test:unit", "test:watch", "types", "lint", "conformance"]

await main(process.argv[2], process.argv.slice(3))

async function main(name, args) {
  requireNode()
  if (!Object.hasOwn(commands, name ?? "")) {
    stop(`unknown command ${JSON.stringify(name ?? "")}; one of: ${Object.keys(commands).join(", ")}`)
  }
  installWhenMissing()
  if (!runsWithoutBuild.includes(name) && !buildWhenStale()) stop("the build failed: see above")
  const status = await commands[name](args)
  if (status !== undefined) process.exitCode = status
}

/* ---------------------------------------------------------------- what must be there first */

function requireNode() {
  const { engines } = JSON.parse(readFileSync(inRoot("package.json"), "utf8"))
  const wanted = engines.node.replace(">=", "")
  const [major = 0, minor = 0] = wanted.split(".").map(Number)
  const [ourMajor = 0, ourMinor = 0] = process.versions.node.split(".").map(Number)
  if (ourMajor > major || (ourMajor === major && ourMinor >= minor)) return
  stop(`PureMQ needs Node.js ${wanted} or newer; this is Node.js ${process.versions.node} (${process.execPath})`)
}

function installWhenMissing() {
  const why = whyInstall()
  if (why === undefined) return
  console.log(`puremq: ${why}; running npm ci`)
  // npm tells its scripts where it is; a plain `node scripts/run.mjs` finds it on the path.
  const npm = process.env.npm_execpath
  const [program, args] = npm?.endsWith("js") ? [process.execPath, [npm, "ci"]] : ["npm", ["ci"]]
  const status = run(program, [...args, "--loglevel=warn"], {
    shell: program === "npm" && process.platform === "win32",
  })
  if (status !== 0) stop("npm ci failed: see above", status)
}

/** undefined: every package that the lockfile names is installed in the version that it names. */
function whyInstall() {
  const installedFile = inRoot("node_modules/.package-lock.json")
  if (!existsSync(installedFile)) return "dependencies are not installed"
  const lockFile = inRoot("package-lock.json")
  if (statSync(installedFile).mtimeMs >= statSync(lockFile).mtimeMs) return undefined
  const installed = JSON.parse(readFileSync(installedFile, "utf8")).packages
  for (const [path, entry] of Object.entries(JSON.parse(readFileSync(lockFile, "utf8")).packages)) {
    if (!path.includes("node_modules/") || entry.optional) continue
    if (installed[path]?.version !== entry.version || installed[path]?.integrity !== entry.integrity) {
      return "dependencies are older than package-lock.json"
    }
  }
  return undefined
}

/** Whether what is built is that of the sources as they are. */
function buildWhenStale() {
  const stamp = inRoot("node_modules/.puremq-built")
  const state = sourcesState(root)
  const built = existsSync(stamp) ? readFileSync(stamp, "utf8") : undefined
  if (built === state && ["packages/broker/dist", ...generated].every((path) => existsSync(inRoot(path)))) return true
  console.log(built === undefined ? "puremq: building" : "puremq: sources changed since the last build; building")
  const status =
    run(process.execPath, [inRoot("scripts/kernels.mjs")]) ||
    run(process.execPath, [inRoot("packages/broker/dashboard/build/bundle.mjs")]) ||
    run(process.execPath, [inRoot("node_modules/typescript/bin/tsc"), "-b"]) ||
    run(process.execPath, [inRoot("scripts/bundle.mjs")])
  if (status === 0) writeFileSync(stamp, state)
  else rmSync(stamp, { force: true })
  removeOrphans()
  return status === 0
}

/** What the compiler made of a source that is no more: it leaves it, and a package would carry it. */
function removeOrphans() {
  for (const name of readdirSync(inRoot("packages"))) {
    const built = inRoot("packages", name, "dist")
    if (!existsSync(built)) continue
    for (const file of readdirSync(built, { recursive: true })) {
      const source = /^(.+?)\.d\.ts(?:\.map)?$/.exec(file)?.[1]
      if (source === undefined || existsSync(inRoot("packages", name, "src", `${source}.ts`))) continue
      for (const kind of [".d.ts", ".d.ts.map", ".js", ".js.map"]) rmSync(join(built, source + kind), { force: true })
    }
  }
}

/* ---------------------------------------------------------------- programs */

/** Runs a built program in this process, so that signals and the exit status are its own. */
async function runProgram(path, args) {
  const file = inRoot(path)
  if (!existsSync(file)) stop(`${path} does not exist`)
  process.argv = [process.execPath, file, ...args]
  await import(pathToFileURL(file).href)
}

/** Runs a TypeScript program that is not part of a package's build; it imports the packages' built output. */
async function runBundled(path, args) {
  if (!existsSync(inRoot(path))) stop(`${path} does not exist`)
  const { build } = await import("esbuild")
  const outfile = path.replace(/main\.ts$/, "dist/main.mjs")
  await build({
    absWorkingDir: root,
    entryPoints: [path],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    packages: "external",
    sourcemap: "inline",
    logLevel: "warning",
  })
  await runProgram(outfile, args)
}

/* ---------------------------------------------------------------- tests */

function staticChecks() {
  return [stepBuild(), stepLint(), stepTypes()]
}

function stepBuild() {
  return step("build (tsc)", buildWhenStale)
}

function stepLint() {
  return step("format and lint (biome)", () => tool("@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."))
}

function stepTypes() {
  return step("types of the tests (tsc)", () => tool("typescript/bin/tsc", "-p", "tsconfig.test.json"))
}

function tool(script, ...args) {
  return run(process.execPath, [inRoot("node_modules", script), ...args]) === 0
}

/** A check counts as one test. */
function step(title, check) {
  console.log(`\n== ${title}`)
  const passed = check()
  if (!passed) console.error(`puremq: ${title} failed`)
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 }
}

function tests(args) {
  console.log("\n== tests (vitest)")
  const folder = inRoot("node_modules/.puremq-reports")
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `vitest-${process.pid}.json`)
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`]
  // A whole run also looks at what all tests did together: scripts/steps/global.ts.
  const env = { ...process.env, PUREMQ_ALL_TESTS: args.length === 0 ? "1" : "" }
  const status = run(process.execPath, [inRoot("node_modules/vitest/vitest.mjs"), "run", ...reporters, ...args], {
    env,
  })
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 }
  const counts = countTests(JSON.parse(readFileSync(file, "utf8")))
  rmSync(file)
  // An error outside of any test (an unhandled rejection, say) fails the run without failing a test.
  if (status !== 0 && counts.failed === 0) counts.failed = 1
  return counts
}

function countTests(result) {
  // A file that could not even be loaded has no test of its own to count.
  const broken = result.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0)
  return {
    passed: result.numPassedTests,
    failed: result.numFailedTests + broken.length,
    skipped: result.numPendingTests + result.numTodoTests,
  }
}

/** Prints the sum and returns the exit status. */
function report(results) {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0)
  const skipped = sum("skipped") > 0 ? `, ${sum("skipped")} skipped` : ""
  console.log(`\nnpm test: ${sum("passed")} passed, ${sum("failed")} failed${skipped}`)
  return sum("failed") > 0 ? 1 : 0
}

/* ---------------------------------------------------------------- */

/** Runs a child with our terminal; its exit status, 1 when it was killed or could not start. */
function run(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: "inherit", ...options })
  if (error) console.error(`puremq: ${program}: ${error.message}`)
  return status ?? 1
}

function stop(message, status = 1) {
  console.error(`puremq: ${message}`)
  process.exit(status)
}

// Compiles the WebAssembly kernels of packages/tls13/assembly, one module for each folder with an index.ts, when their
// sources changed. What it writes git does not keep:
//
//   packages/tls13/src/crypto/fast/webassembly/modules/NAME.ts   the module in base64, for engines that compile at run time
//   packages/tls13/dist/webassembly/NAME.wasm                    the module, for those that do not and import it (workerd)
//
// `npm run build` and the tests run it. `node scripts/kernels.mjs --text FOLDER` also writes FOLDER/NAME.wat, to be read.

import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const sources = join(root, "packages/tls13/assembly")
const modules = join(root, "packages/tls13/src/crypto/fast/webassembly/modules")
const binaries = join(root, "packages/tls13/dist/webassembly")
const stamp = join(root, "node_modules/.puremq-kernels")
const text = process.argv[2] === "--text" ? process.argv[3] : undefined

/** No import, no garbage collector, one memory that never grows: its size in pages of 64 KiB. */
const pages = 1
const options = [
  ...["--optimizeLevel", "3", "--shrinkLevel", "0", "--noAssert"],
  ...["--runtime", "stub", "--use", "abort=", "--enable", "simd"],
  // 112: a v128 in a function's signature, which only matters for those that JavaScript calls.
  ...["--disableWarning", "112"],
  ...["--initialMemory", String(pages), "--maximumMemory", String(pages), "--zeroFilledMemory"],
]

const names = readdirSync(sources)
  .filter((name) => existsSync(join(sources, name, "index.ts")))
  .sort()
const state = sourcesState()
if (
  text !== undefined ||
  readStamp() !== state ||
  !names.every((name) => outputs(name).every((file) => existsSync(file)))
) {
  rmSync(stamp, { force: true })
  removeOthers(modules)
  removeOthers(binaries)
  for (const name of names) await compile(name)
  writeFileSync(stamp, state)
}

function outputs(name) {
  return [join(modules, `${name}.ts`), join(binaries, `${name}.wasm`)]
}

function readStamp() {
  return existsSync(stamp) ? readFileSync(stamp, "utf8") : undefined
}

/** Of every file that decides on what is compiled. */
function sourcesState() {
  const hash = createHash("sha256")
  const files = readdirSync(sources, { recursive: true }).filter((file) => file.endsWith(".ts"))
  for (const file of files.sort()) hash.update(`${file}\n`).update(readFileSync(join(sources, file)))
  hash.update(readFileSync(fileURLToPath(import.meta.url)))
  return hash.update(readFileSync(join(root, "node_modules/assemblyscript/package.json"))).digest("hex")
}

/** What was compiled of a folder that is no more. */
function removeOthers(folder) {
  mkdirSync(folder, { recursive: true })
  for (const file of readdirSync(folder)) {
    if (!names.includes(basename(file).replace(/\.\w+$/, ""))) rmSync(join(folder, file))
  }
}

async function compile(name) {
  const { default: asc } = await import("assemblyscript/asc")
  const [module, binary] = outputs(name)
  const args = [join(sources, name, "index.ts"), "--outFile", binary, ...options]
  if (text !== undefined) args.push("--textFile", join(text, `${name}.wat`))
  const { error, stderr, stdout } = await asc.main(args)
  process.stdout.write(stdout.toString())
  process.stderr.write(stderr.toString())
  if (error) throw new Error(`packages/tls13/assembly/${name} does not compile: see above`)
  const bytes = readFileSync(binary)
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes))
  if (imports.length > 0) throw new Error(`packages/tls13/assembly/${name} imports ${JSON.stringify(imports)}`)
  writeFileSync(
    module,
    `// Made by scripts/kernels.mjs of packages/tls13/assembly/${name}; not in the repository.\n\n` +
      `/** ${bytes.length} bytes of WebAssembly, in base64. */\n` +
      `export const ${constantName(name)}: string =\n  "${bytes.toString("base64")}"\n`,
  )
}

/** `aes-gcm` is `aesGcmModule`. */
function constantName(name) {
  return `${name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase())}Module`
}

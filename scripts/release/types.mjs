// The types of the installed packages, as a strict compiler of a stranger reads them: declarations are checked, too.

import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { packages } from "./packages.mjs"
import { programsIn } from "./pages.mjs"
import { root, run } from "./run.mjs"

/** Entry points that need the types of a runtime; all others need ES2022 alone. */
const ofTheWeb = [
  ...["streams", "deno", "bun", "workerd", "webcrypto"].map((entry) => `@puremq/tls13/${entry}`),
  "@puremq/broker/workerd",
]
const ofNode = [...["node", "bench", "command-line"].map((entry) => `@puremq/tls13/${entry}`), "@puremq/broker"]

export async function compileAsStranger(project, step) {
  const all = packages.flatMap(({ name }) => entriesOf(project, name))
  const core = all.filter((entry) => ![...ofTheWeb, ...ofNode].includes(entry))
  const language = { lib: ["es2022"], types: [] }
  await step("types: the core needs ES2022 alone, and brings no type of Node", async () => {
    await compile(project, "core", exporting(core), language)
    const files = await compile(project, "core", exporting(core), language, "--listFilesOnly")
    const leaked = files.split("\n").find((file) => file.includes("/@types/node/"))
    if (leaked !== undefined) throw new Error(`the core's declarations lead to ${leaked}`)
  })
  await step("types: what stands on streams needs those of the web", () =>
    compile(project, "web", exporting(ofTheWeb), { ...language, lib: ["es2022", "dom"] }),
  )
  await step("types: the rest, with those of Node", () =>
    compile(project, "node", exporting(ofNode), { ...language, types: ["node"] }),
  )
  await step("types: the examples of the pages", async () => {
    // Declarations of others are in it, which are not always right.
    for (const [index, { text }] of programsIn(project).entries()) {
      await compile(project, `example-${index}`, text, {
        ...language,
        lib: ["es2022", "dom"],
        types: ["node"],
        skipLibCheck: true,
      })
    }
  })
}

/** The entry points that can be imported. */
function entriesOf(project, name) {
  const { exports } = JSON.parse(readFileSync(join(project, "node_modules", name, "package.json"), "utf8"))
  const entries = Object.keys(exports).filter((entry) => !/\.(json|wasm)$/.test(entry))
  return entries.map((entry) => entry.replace(".", name))
}

function exporting(specifiers) {
  return specifiers.map((specifier, index) => `export * as entry${index} from "${specifier}"\n`).join("")
}

async function compile(project, name, text, options, ...args) {
  const compilerOptions = {
    target: "es2022",
    module: "nodenext",
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    ...options,
  }
  writeFileSync(join(project, `${name}.ts`), text)
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [`${name}.ts`] }))
  return run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", ".", ...args], { cwd: project })
}

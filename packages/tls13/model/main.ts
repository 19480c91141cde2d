// `npm run model [-- options]`: the state machines and the key schedule of the code in the model checker Spin.

import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { transitions } from "../src/handshake/transitions.ts"
import { type Behaviour, behaviour, generate, type Tables } from "./generate.ts"
import { behaviourWith } from "./plant.ts"
import { type Planted, planted } from "./planted.ts"
import { type Bounds, check, missingTools, type Verdict } from "./spin.ts"
import { brokenPromise, inWords } from "./trail.ts"
import { type Variant, variants } from "./variants.ts"

const help = `Searches every state that clients and servers can get into over a network that is the attacker, in a model whose
transition tables, key schedule and checks are read from the code. Needs spin and gcc; without them all of it is skipped.

  npm run model [-- options]

  --planted    plants faults, too: each has to be found
  --all        with --planted: those that take longer than a second, too
  --deep       larger variants, too: minutes
  --only TEXT  variants and faults with this in their name; faults alone: --only planted
  --seconds N  for one search; default 300, with --deep 3600
  --memory MB  for one search; default 1024, with --deep 8192
  --help       this text

The exit status is 0 when every promise held, or was broken by what was planted.`

// This is bundled to model/dist/main.mjs.
const folder = fileURLToPath(new URL("..", import.meta.url))

process.exitCode = await main()

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      planted: { type: "boolean", default: false },
      all: { type: "boolean", default: false },
      deep: { type: "boolean", default: false },
      only: { type: "string", default: "" },
      seconds: { type: "string" },
      memory: { type: "string" },
      help: { type: "boolean", default: false },
    },
  })
  if (values.help) {
    console.log(help)
    return 0
  }
  const bounds = {
    seconds: Number(values.seconds ?? (values.deep ? 3600 : 300)),
    memory: Number(values.memory ?? (values.deep ? 8192 : 1024)),
  }
  if (!(bounds.seconds > 0 && bounds.memory > 0)) {
    console.error("model: --seconds and --memory are numbers above 0; see --help")
    return 2
  }
  const searched = variants.filter(({ name, deep }) => name.includes(values.only) && (values.deep || !deep))
  const faults = values.planted
    ? planted.filter(({ fault, quick }) => `planted: ${fault}`.includes(values.only) && (values.all || quick))
    : []
  const missing = missingTools()
  if (missing.length > 0) {
    console.log(`model: ${missing.join(" and ")} not installed (Debian: apt-get install spin gcc); nothing is searched`)
    console.log(`model: 0 passed, 0 failed, ${searched.length + faults.length} skipped`)
    return 0
  }
  return search(searched, faults, bounds)
}

async function search(searched: readonly Variant[], faults: readonly Planted[], bounds: Bounds): Promise<number> {
  let [passed, failed] = [0, 0]
  const code = behaviour()
  const generated = generate(code)
  console.log(`${"variant".padEnd(92)}    states  depth     MB  seconds  result`)
  for (const variant of searched) {
    const verdict = check(folder, generated, variant, bounds)
    if (verdict.result === "complete") passed++
    else failed++
    tell(variant.name, verdict, verdict.result === "complete" ? "holds" : `FAILED ${verdict.result}`)
    for (const line of inWords(verdict.trail, generated)) console.log(`    ${line}`)
  }
  for (const fault of faults) {
    const verdict = check(folder, await modelWith(fault, code), { name: fault.fault, defines: fault.defines }, bounds)
    const broken = brokenPromise(verdict.trail)
    const isFound = broken !== undefined && fault.breaks.includes(broken)
    if (isFound) passed++
    else failed++
    const wanted = isFound ? "" : `; ${fault.breaks.join(" or ")} should be broken`
    tell(`planted: ${fault.fault}`, verdict, isFound ? `found: ${broken}` : `FAILED ${broken ?? "not found"}${wanted}`)
  }
  console.log(`model: ${passed} passed, ${failed} failed`)
  return failed > 0 || passed === 0 ? 1 : 0
}

/** The model of the code with a fault in it. */
async function modelWith({ fault, row, source }: Planted, code: Behaviour): Promise<string> {
  if (row === undefined) return generate(source ? await behaviourWith(folder, fault, source) : code)
  const { without } = row
  const rows = transitions[row.role].filter(
    (each) => !(without && each.from === without.from && each.message === without.message && each.to === without.to),
  )
  if (without !== undefined && rows.length === transitions[row.role].length)
    throw new Error(`planted.ts, "${fault}": the table has no such row`)
  const tables: Tables = { ...transitions, [row.role]: row.with ? [...rows, row.with] : rows }
  return generate(code, tables)
}

function tell(name: string, { states, depth, memory, seconds }: Verdict, result: string): void {
  const numbers = [
    String(states).padStart(9),
    String(depth).padStart(6),
    memory.toFixed(0).padStart(6),
    seconds.toFixed(1).padStart(8),
  ]
  console.log(`${name.padEnd(92)} ${numbers.join(" ")}  ${result}`)
  if (result.startsWith("FAILED")) console.log(`FAILED ${name}: ${result.slice("FAILED ".length)}`)
}

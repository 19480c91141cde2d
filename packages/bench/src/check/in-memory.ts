// Rows of handshakes, records and digests in memory, by processor time.

import { driftText, type Measurement, type Plan, takeTurns, unsettledText } from "../engine/processes.ts"
import type { SubjectName } from "../engine/subjects.ts"
import { hasWebAssembly } from "../engine/subjects.ts"
import { type NamedWork, nameOf, usualHandshake } from "../engine/work.ts"
import { progress } from "../progress.ts"
import { ratios } from "../statistics.ts"
import type { CheckContext, CheckGroup } from "./group.ts"
import type { Target } from "./row.ts"

const handshakePlans = {
  quick: { generations: 1, rounds: 7, slice: 120, warmUp: [1500, 3500] },
  whole: { generations: 3, rounds: 7, slice: 200, warmUp: [3000, 8000] },
} as const satisfies Record<string, Plan>

const smallPlans = {
  quick: { generations: 1, rounds: 9, slice: 25, warmUp: [250, 700] },
  whole: { generations: 3, rounds: 9, slice: 50, warmUp: [500, 1500] },
} as const satisfies Record<string, Plan>

const withoutPlain = "fast uses no WebAssembly here"

/** `fast` as it is, and without WebAssembly; the one that is plain TypeScript takes the targets of plain TypeScript. */
interface FastTargets {
  readonly webAssembly: Target
  readonly plain: Target
}

export const handshakesInMemory: CheckGroup = {
  name: "handshakes",
  help: "full and resumed handshakes in memory, beside noble; the stack's own share",
  seconds: { quick: 40, whole: 200 },
  async run(context) {
    const targets = { webAssembly: { most: 0.12 }, plain: { most: 0.22 } }
    // The stack's own cost is a share of a noble full handshake, of the same run.
    let nobleFull: readonly number[] = []
    for (const kind of ["full", "resumed"] as const) {
      const work: NamedWork = { ...usualHandshake, kind }
      const contenders = [
        { name: "noble", subject: "noble", work },
        { name: "fast", subject: "fast", work },
        { name: "fast, timed", subject: "fast", work, timed: true },
        { name: "fast-plain", subject: "fast-plain", work },
        ...(kind === "full" ? [] : [{ name: "noble, full", subject: "noble", work: usualHandshake } as const]),
      ] as const
      progress(`handshake in memory, ${kind}`)
      const measurement = await takeTurns(contenders, handshakePlans[context.quick ? "quick" : "whole"])
      progress(driftText(measurement.measured))
      fastRows(context, `${kind} handshake in memory, CPU of both sides, x noble`, measurement, "noble", targets)
      nobleFull = cpuOf(measurement, kind === "full" ? "noble" : "noble, full")
      const [fast, outside] = [cpuOf(measurement, "fast"), outsideOf(measurement, "fast, timed")]
      const calls = measurement.measured.find(({ name }) => name === "fast, timed")!.samples[0]!.calls!
      context.tell({
        name: `${kind} handshake in memory, time that is not in primitives, x a full one of noble`,
        unit: "x",
        values: outside.map((share, round) => (share * fast[round]!) / nobleFull[round]!),
        target: { most: kind === "full" ? 0.04 : 0.025 },
        note: `${Math.round(calls)} calls of primitives`,
      })
    }
  },
}

const gcm = "TLS_AES_128_GCM_SHA256"
const chacha = "TLS_CHACHA20_POLY1305_SHA256"

export const records: CheckGroup = {
  name: "records",
  help: "seal and open in memory, beside noble and node:crypto",
  seconds: { quick: 28, whole: 90 },
  async run(context) {
    const plan = smallPlans[context.quick ? "quick" : "whole"]
    for (const [suite, small, large, plain] of [
      [gcm, 0.16, 6, 1.4],
      [chacha, 0.12, 7, 2.8],
    ] as const) {
      const tiny = await measure({ type: "seal", suite, bytes: 64 }, ["node", "fast", "fast-plain"], plan)
      fastRows(context, `seal 64 bytes, ${suite}, x node:crypto`, tiny, "node", {
        webAssembly: { most: small },
        plain: undefined,
      })
      for (const type of context.quick ? (["seal"] as const) : (["seal", "open"] as const)) {
        const full = await measure({ type, suite, bytes: 16_384 }, ["noble", "fast", "fast-plain"], plan)
        const targets = { webAssembly: { least: large }, plain: { least: plain } }
        fastRows(context, `${type} 16 KiB, ${suite}, MB/s x noble`, full, "noble", targets, "rate")
      }
    }
    await tablesRow(context, plan)
  },
}

/** What `ghash: "tables"` of `createFastProvider` gives. */
async function tablesRow(context: CheckContext, plan: Plan): Promise<void> {
  const name = "seal 16 KiB, AES-GCM with GHASH tables, MB/s x noble"
  if (!hasWebAssembly()) {
    context.tell({ name, skipped: withoutPlain })
    return
  }
  const measurement = await measure({ type: "seal", suite: gcm, bytes: 16_384 }, ["noble", "fast-tables"], plan)
  const values = ratios(cpuOf(measurement, "noble"), cpuOf(measurement, "fast-tables"))
  const note = unsettledText(measurement.measured)
  context.tell({ name, unit: "x", values, target: { least: 10 }, ...(note && { note }) })
}

export const digests: CheckGroup = {
  name: "digests",
  help: "SHA-256 of 16 KiB in memory, beside noble",
  seconds: { quick: 4, whole: 12 },
  async run(context) {
    const plan = smallPlans[context.quick ? "quick" : "whole"]
    const work: NamedWork = { type: "hash", hash: "sha256", bytes: 16_384 }
    const measurement = await measure(work, ["noble", "fast", "fast-plain", "node"], plan)
    const targets = { webAssembly: { least: 2 }, plain: { least: 1 } }
    fastRows(context, "SHA-256 of 16 KiB, MB/s x noble", measurement, "noble", targets, "rate")
  },
}

async function measure(work: NamedWork, subjects: readonly SubjectName[], plan: Plan): Promise<Measurement> {
  progress(nameOf(work))
  const measurement = await takeTurns(
    subjects.map((subject) => ({ name: subject, subject, work })),
    plan,
  )
  progress(driftText(measurement.measured))
  return measurement
}

/** A row with WebAssembly and one without; which of them is skipped depends on whether there is any. @param by `rate`: more is better, as of MB/s */
function fastRows(
  context: CheckContext,
  what: string,
  measurement: Measurement,
  beside: string,
  targets: FastTargets,
  by: "cost" | "rate" = "cost",
): void {
  const others = cpuOf(measurement, beside)
  const valuesOf = (name: string): number[] => {
    const own = cpuOf(measurement, name)
    return by === "cost" ? ratios(own, others) : ratios(others, own)
  }
  const row = (name: string, kind: string, target: Target) => {
    const own = measurement.measured.filter((each) => each.name === name || each.name === beside)
    const note = unsettledText(own)
    context.tell({ name: `fast, ${kind}: ${what}`, unit: "x", values: valuesOf(name), target, ...(note && { note }) })
  }
  if (hasWebAssembly()) {
    row("fast", "WebAssembly", targets.webAssembly)
    row("fast-plain", "plain TypeScript", targets.plain)
    return
  }
  context.tell({ name: `fast, WebAssembly: ${what}`, skipped: withoutPlain })
  row("fast", "plain TypeScript", targets.plain)
}

function samplesOf({ measured }: Measurement, name: string) {
  const found = measured.find((subject) => subject.name === name)
  if (found === undefined) throw new Error(`${name} was not measured`)
  return found.samples
}

function cpuOf(measurement: Measurement, name: string): number[] {
  return samplesOf(measurement, name).map(({ cpu }) => cpu)
}

function outsideOf(measurement: Measurement, name: string): number[] {
  return samplesOf(measurement, name).map(({ outside }) => outside!)
}

// Scenarios in memory that have a name, and how they are compared.

import { asText, type Comparison, type Row } from "../measure.ts"
import { progress } from "../progress.ts"
import { quartiles, ratios } from "../statistics.ts"
import { driftText, type Plan, takeTurns } from "./processes.ts"
import { type SubjectName, subjectNames } from "./subjects.ts"
import { type NamedWork, nameOf, suites } from "./work.ts"

/** In the words of `parseWork`. */
export const handshakeScenarios: readonly string[] = [
  "full",
  "resumed",
  "0-rtt",
  "full,hrr",
  "full,mtls",
  ...["secp256r1", "secp384r1", "X25519MLKEM768", "SecP256r1MLKEM768"].map((group) => `full,group=${group}`),
  ...suites.slice(1).map((suite) => `full,suite=${suite}`),
  ...["p384", "ed25519", "rsa"].map((signature) => `full,signature=${signature}`),
  ...["2", "3", "4"].map((chain) => `full,chain=${chain}`),
]

export const recordScenarios: readonly string[] = suites.flatMap((suite) =>
  ["seal", "open"].flatMap((type) => [16, 64, 256, 1024, 4096, 16_384].map((bytes) => `${type} ${bytes} ${suite}`)),
)

export const hashScenarios: readonly string[] = ["sha256", "sha384"].flatMap((hash) =>
  [64, 1024, 16_384].map((bytes) => `hash ${bytes} ${hash}`),
)

const plans: Readonly<Record<"handshake" | "small", Plan>> = {
  handshake: { generations: 2, rounds: 7, slice: 150, warmUp: [2000, 5000] },
  small: { generations: 2, rounds: 7, slice: 25, warmUp: [250, 1000] },
}

/** Seconds that a scenario takes with all subjects, about. */
export function secondsOf(work: NamedWork): number {
  return work.type === "handshake" ? 40 : 10
}

/** Subjects beside the first one: microseconds of processor time of an operation, so less is quicker. */
export async function compareInMemory(
  work: NamedWork,
  subjects: readonly SubjectName[] = subjectNames,
): Promise<Comparison> {
  const title = `${nameOf(work)}${work.type === "handshake" ? " handshake" : ""}, in memory`
  progress(title)
  const contenders = subjects.map((subject) => ({ name: subject, subject, work }))
  const plan = plans[work.type === "handshake" ? "handshake" : "small"]
  const { measured, absent } = await takeTurns(contenders, plan)
  for (const { name, why } of absent) progress(`skipped ${name}: ${why}`)
  if (measured.length === 0) return { title, unit: "µs CPU", rounds: 0, rows: [], drifts: [] }
  progress(driftText(measured))
  const first = measured[0]!.samples.map(({ cpu }) => cpu)
  const rows = measured.map(({ name, samples }): Row => {
    const cpu = samples.map((sample) => sample.cpu)
    return { name, samples: cpu, median: quartiles(cpu)[1], ratio: quartiles(ratios(cpu, first)) }
  })
  const rounds = plan.generations * plan.rounds
  const comparison = { title, unit: "µs CPU", rounds, rows, drifts: measured.map(({ drifts }) => drifts.at(-1)) }
  console.log(asText(comparison))
  return comparison
}

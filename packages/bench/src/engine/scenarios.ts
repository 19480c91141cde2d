// Scenarios in memory that have a name, and how they are compared.

import { asText, type Comparison, type Row } from "../measure.ts"
import { progress } from "../progress.ts"
import { quartiles, ratios } from "../statistics.ts"
import { driftText, type Plan, takeTurns } from "./processes.ts"
import { type SubjectName, subjectNames } from "./subjects.ts"
import { type NamedWork, nameOf, signatures, suites, usualHandshake, wordsOf } from "./work.ts"

/** In the words of `parseWork`. */
export const handshakeScenarios: readonly string[] = [
  "full",
  "resumed",
  "0-rtt",
  "full,hrr",
  "full,mtls",
  ...["secp256r1", "secp384r1", "X25519MLKEM768", "SecP256r1MLKEM768"].map((group) => `full,group=${group}`),
  ...suites.slice(1).map((suite) => `full,suite=${suite}`),
  ...["p384", "ed25519", "rsa", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87"].map(
    (signature) => `full,signature=${signature}`,
  ),
  ...["2", "3", "4"].map((chain) => `full,chain=${chain}`),
]

const groups = ["x25519", "secp256r1", "secp384r1", "X25519MLKEM768"]

/** Each group with each suite and each signature. */
export const matrixScenarios: readonly string[] = groups.flatMap((group) =>
  suites.flatMap((suite) => signatures.map((signature) => nameOf({ ...usualHandshake, group, suite, signature }))),
)

export const recordScenarios: readonly string[] = suites.flatMap((suite) =>
  ["seal", "open"].flatMap((type) => [16, 64, 256, 1024, 4096, 16_384].map((bytes) => `${type} ${bytes} ${suite}`)),
)

export const hashScenarios: readonly string[] = ["sha256", "sha384"].flatMap((hash) =>
  [64, 1024, 16_384].map((bytes) => `hash ${bytes} ${hash}`),
)

const plans: Readonly<Record<"handshake" | "small" | "brief", Plan>> = {
  brief: { generations: 1, rounds: 5, slice: 80, warmUp: [600, 1500] },
  handshake: { generations: 2, rounds: 7, slice: 150, warmUp: [2000, 5000] },
  small: { generations: 2, rounds: 7, slice: 25, warmUp: [250, 1000] },
}

/** Seconds that a scenario takes with all subjects, about. */
export function secondsOf(work: NamedWork, isBrief = false): number {
  if (isBrief) return 9
  return work.type === "handshake" ? 40 : 10
}

/** Subjects beside the first one: microseconds of processor time of an operation, so less is quicker. */
export async function compareInMemory(
  work: NamedWork,
  subjects: readonly SubjectName[] = subjectNames,
  isBrief = false,
): Promise<Comparison> {
  const title = wordsOf(work)
  progress(title)
  const contenders = subjects.map((subject) => ({ name: subject, subject, work }))
  const plan = plans[isBrief ? "brief" : work.type === "handshake" ? "handshake" : "small"]
  const { measured, absent } = await takeTurns(contenders, plan)
  for (const { name, why } of absent) progress(`skipped ${name}: ${why}`)
  const scenario = nameOf(work)
  if (measured.length === 0) return { title, unit: "µs CPU", rounds: 0, rows: [], drifts: [], scenario, absent }
  progress(driftText(measured))
  const first = measured[0]!.samples.map(({ cpu }) => cpu)
  const rows = measured.map(({ name, samples }): Row => {
    const cpu = samples.map((sample) => sample.cpu)
    return { name, samples: cpu, median: quartiles(cpu)[1], ratio: quartiles(ratios(cpu, first)) }
  })
  const rounds = plan.generations * plan.rounds
  const drifts = measured.map(({ drifts: own }) => own.at(-1))
  const comparison = { title, unit: "µs CPU", rounds, rows, drifts, scenario, absent }
  console.log(asText(comparison))
  return comparison
}

// The form of a report as a JSON Schema (draft 2020-12, the few words of it that are needed), and the check against it: so that a
// file of something else, or of another version, is told from a report before anything is made of it.

import { reportFormat } from "./report.ts"

type TypeName = "object" | "array" | "string" | "number" | "integer" | "boolean" | "null"

export interface Schema {
  readonly $schema?: string
  readonly title?: string
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, Schema>>
  readonly const?: string
  readonly enum?: readonly string[]
  readonly type?: TypeName | readonly TypeName[]
  readonly minimum?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
}

/** All of `properties` must be there; others may be, of later versions. */
function object(properties: Readonly<Record<string, Schema>>, optional: Readonly<Record<string, Schema>> = {}): Schema {
  return { type: "object", properties: { ...properties, ...optional }, required: Object.keys(properties) }
}

const text: Schema = { type: "string" }
const textOrNull: Schema = { type: ["string", "null"] }
const amount: Schema = { type: "number", minimum: 0 }
const amountOrNull: Schema = { type: ["number", "null"], minimum: 0 }
const whole: Schema = { type: "integer", minimum: 0 }
const flagOrNull: Schema = { type: ["boolean", "null"] }
const listOf = (items: Schema): Schema => ({ type: "array", items })
const mapOf = (values: Schema): Schema => ({ type: "object", additionalProperties: values })
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: "null" }] })
const defined = (name: string): Schema => ({ $ref: `#/$defs/${name}` })

const cpu = {
  seconds: amount,
  user: amount,
  system: amount,
  cores: amount,
  busiest: amountOrNull,
  perOperation: amountOrNull,
} as const

export const reportSchema: Schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "What a benchmark of PureMQ measured",
  ...object({
    format: { const: reportFormat },
    tool: object({ name: text, version: text }),
    command: text,
    started: text,
    operation: text,
    machine: object({
      host: text,
      system: text,
      kernel: text,
      architecture: text,
      cpu: text,
      cpus: whole,
      cpusAllowed: textOrNull,
      cpuQuota: amountOrNull,
      governor: textOrNull,
      turbo: flagOrNull,
      virtual: flagOrNull,
      memoryBytes: amount,
      runtime: text,
      loadBefore: amountOrNull,
    }),
    runs: listOf(defined("run")),
  }),
  $defs: {
    distribution: object({
      count: whole,
      mean: amount,
      min: amount,
      p50: amount,
      p90: amount,
      p99: amount,
      p999: amount,
      max: amount,
    }),
    direction: object({ bytes: amount, records: amount, flights: amount }),
    run: object(
      {
        name: text,
        scenario: mapOf({ type: ["string", "number", "boolean", "null"] }),
        repetition: { type: "integer", minimum: 1 },
        target: object({ host: text, port: whole, address: text, name: textOrNull, own: { type: "boolean" } }),
        loop: {
          anyOf: [
            object({ kind: { const: "closed" }, concurrency: whole }),
            object({ kind: { const: "open" }, rate: amount, concurrency: whole }),
          ],
        },
        workers: { type: "integer", minimum: 1 },
        warmUpSeconds: amount,
        seconds: amount,
        counts: object({
          completed: whole,
          failed: whole,
          warmUp: whole,
          notBegun: whole,
          priming: whole,
          notClosedByServer: whole,
        }),
        rate: amount,
        latency: orNull(defined("distribution")),
        histogram: object({ scale: whole, zeros: whole, offset: { type: "integer" }, counts: listOf(whole) }),
        parts: mapOf(orNull(defined("distribution"))),
        slices: listOf(
          object({ at: amount, seconds: amount, completed: whole, failed: whole, latency: orNull(listOf(amount)) }),
        ),
        failures: listOf(object({ reason: text, count: whole })),
        wire: orNull(
          object({
            sent: defined("direction"),
            received: defined("direction"),
            after: object({ sent: amount, received: amount }),
            seen: whole,
          }),
        ),
        agreed: mapOf(text),
        authenticated: object({ verified: { type: "boolean" }, words: text }),
        client: object(cpu),
        server: orNull(
          object({
            ...cpu,
            pid: whole,
            program: text,
            processes: whole,
            threads: whole,
            cpusAllowed: textOrNull,
            operations: whole,
          }),
        ),
        machine: orNull(object({ busy: amount, steal: amount })),
        ports: orNull(object({ timeWaitBefore: whole, timeWaitAfter: whole, sources: whole })),
        limit: object({
          side: { enum: ["client", "server", "both", "machine", "rate", "waiting", "unknown"] },
          words: text,
        }),
        notes: listOf(text),
      },
      { tallies: mapOf(whole) },
    ),
  },
}

/** Where a value is not as the schema says, and why, such as `runs[0].rate: it is no number`; undefined: it is. */
export function schemaProblem(value: unknown, schema: Schema, root: Schema = schema): string | undefined {
  return problemAt(value, schema, root, "")
}

function problemAt(value: unknown, given: Schema, root: Schema, at: string): string | undefined {
  const schema = given.$ref === undefined ? given : (root.$defs?.[given.$ref.replace("#/$defs/", "")] ?? {})
  const say = (what: string) => `${at === "" ? "the whole" : at}: ${what}`
  if (schema.anyOf !== undefined) {
    const problems = schema.anyOf.map((each) => problemAt(value, each, root, at))
    if (problems.every((problem) => problem !== undefined)) return problems[0]
  }
  if (schema.const !== undefined && value !== schema.const) return say(`it must be ${JSON.stringify(schema.const)}`)
  if (schema.enum !== undefined && !schema.enum.some((each) => each === value))
    return say(`it must be one of ${schema.enum.join(", ")}`)
  const types = typeof schema.type === "string" ? [schema.type] : schema.type
  if (types !== undefined && !types.some((type) => isOf(value, type))) return say(`it must be ${types.join(" or ")}`)
  if (schema.minimum !== undefined && typeof value === "number" && !(value >= schema.minimum))
    return say(`it is ${value}, below ${schema.minimum}`)
  if (Array.isArray(value)) {
    const { items } = schema
    return items && firstOf(value.map((each, i) => () => problemAt(each, items, root, `${at}[${i}]`)))
  }
  return isObject(value) ? propertyProblem(value, schema, root, at) : undefined
}

function propertyProblem(
  value: Readonly<Record<string, unknown>>,
  { properties = {}, required = [], additionalProperties: others }: Schema,
  root: Schema,
  at: string,
): string | undefined {
  const path = (name: string) => (at === "" ? name : `${at}.${name}`)
  const missing = required.find((name) => !Object.hasOwn(value, name))
  if (missing !== undefined) return `${path(missing)}: it is missing`
  return firstOf(
    Object.entries(value).map(([name, each]) => () => {
      const schema = Object.hasOwn(properties, name) ? properties[name] : others
      return typeof schema === "object" ? problemAt(each, schema, root, path(name)) : undefined
    }),
  )
}

function firstOf(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const problem = check()
    if (problem !== undefined) return problem
  }
  return undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function isOf(value: unknown, type: TypeName): boolean {
  switch (type) {
    case "null":
      return value === null
    case "array":
      return Array.isArray(value)
    case "object":
      return isObject(value)
    case "integer":
      return Number.isInteger(value)
    case "number":
      return typeof value === "number" && Number.isFinite(value)
    default:
      return typeof value === type
  }
}

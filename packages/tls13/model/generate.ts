// generated.pml: both transition tables, the key schedule, what proofs cover and what is checked, as Promela.

import { type Role, type TransitionRow, transitions } from "../src/handshake/transitions.ts"
import { type Made, type Observed, observe, type Proof, type Slot, slots } from "./observe.ts"
import { probe, runs } from "./runs.ts"

export interface Tables {
  readonly client: readonly TransitionRow[]
  readonly server: readonly TransitionRow[]
}

export interface Behaviour {
  readonly observed: Observed
  readonly checks: ReadonlyMap<string, boolean>
}

export function behaviour(): Behaviour {
  return { observed: observe(runs()), checks: probe() }
}

/** @param tables those of the code, or others in a test of the model */
export function generate({ observed, checks }: Behaviour, tables: Tables = transitions): string {
  const rows = [...rowsOfBoth(tables), ...rowsOfBoth(transitions)]
  return [
    "/* What the code says, in Promela: made by generate.ts from handshake/transitions.ts and from handshakes that the code has run.",
    "   `npx vitest run packages/tls13/tests/model.test.ts -u` writes it anew. */",
    "",
    "/* ---- The messages and states of the tables. */",
    "",
    `mtype = { ${[...new Set(rows.flatMap(({ message }) => message ?? []))].join(", ")} };`,
    `mtype = { ${[...new Set(rows.flatMap(({ from, to }) => [from, to]))].join(", ")} };`,
    "",
    ...machine("client", tables),
    ...machine("server", tables),
    "/* ---- Messages by their place in a handshake: a set of them is a transcript. */",
    "",
    ...slots.map((slot, number) => `#define S_${slot} ${number}`),
    `#define SLOTS ${slots.length}`,
    "",
    ...schedule(observed),
    "/* ---- What makes a proof: the messages that it is over, the secret of a MAC, and the words before a signature. */",
    "",
    ...observed.proofs.flatMap(proof),
    "/* ---- The secret that protects what leaves; 0: none. */",
    "",
    ...[...observed.keys].map(([message, secret]) => `#define KEYS_${message.replaceAll(" ", "_")} ${secret ?? 0}`),
    "",
    "/* ---- What is refused when it is wrong. Each can be set from outside, to see what becomes of it. */",
    "",
    ...[...checks].flatMap(([check, isMade]) => [
      `#ifndef CHECKS_${check}`,
      `#define CHECKS_${check} ${isMade ? 1 : 0}`,
      "#endif",
    ]),
    "",
  ].join("\n")
}

function rowsOfBoth({ client, server }: Tables): readonly TransitionRow[] {
  return [...client, ...server]
}

/** One role's table: what it accepts where, and where that leads. */
function machine(role: Role, tables: Tables): string[] {
  const rows = tables[role].filter(({ message }) => message !== undefined)
  const places = [...new Set(rows.map(({ from, message }) => `(here == ${from} && came == ${message})`))]
  const begins = tables[role].find(({ message }) => message === undefined)
  return [
    `/* ---- The ${role}'s table. A row that tls13.pml says no condition of may always be taken. */`,
    "",
    ...(begins ? [`#define ${role.toUpperCase()}_BEGINS ${begins.to}`] : []),
    `#define ${role.toUpperCase()}_ACCEPTS(here, came) ( \\`,
    ...places.map((place, index) => `  ${place}${index < places.length - 1 ? " ||" : ")"} \\`),
    "",
    ...rows.flatMap((row) => [`#ifndef ${condition(role, row)}`, `#define ${condition(role, row)} true`, "#endif"]),
    `inline ${role}_goes_on(here, came, there) {`,
    "  if",
    ...rows.map(
      (row) => `  :: here == ${row.from} && came == ${row.message} && (${condition(role, row)}) -> there = ${row.to}`,
    ),
    "  :: else -> there = 0",
    "  fi",
    "}",
    "",
  ]
}

function condition(role: Role, { from, message, to }: TransitionRow): string {
  return `WHEN_${role}_${from}_${message}_${to}`
}

/** Secrets that keys or MACs are made of: those down the left side of the schedule's diagram are in what these depend on. */
function schedule({ secrets }: Observed): string[] {
  const used = secrets.filter(({ name, base }) => base !== undefined && !name.endsWith("_next"))
  const sameAs = ({ base, label }: Made) => used.findIndex((other) => other.base === base && other.label === label) + 1
  const uses = (input: "psk" | "dhe") => `(${bits(used, ({ inputs }) => inputs.has(input))} >> (secret) & 1)`
  return [
    "/* ---- The key schedule: each secret, what is its own (label and parent), what it depends on, and its transcript. */",
    "",
    ...used.map(({ name }, index) => `#define ${name} ${index + 1}`),
    ...choice("LABEL", used, (secret) => `${sameAs(secret)}`),
    `#define USES_PSK(secret) ${uses("psk")}`,
    `#define USES_DHE(secret) ${uses("dhe")}`,
    ...choice("CONTEXT", used, ({ covers }) => mask(covers)),
    "",
  ]
}

function choice(name: string, secrets: readonly Made[], value: (secret: Made) => string): string[] {
  const cases = secrets.map((secret) => `  ((secret) == ${secret.name} -> ${value(secret)} : \\`)
  return [`#define ${name}(secret) \\`, ...cases, `  0${")".repeat(secrets.length)}`]
}

function bits(secrets: readonly Made[], has: (secret: Made) => boolean): number {
  return secrets.reduce((sum, secret, index) => sum + (has(secret) ? 2 ** (index + 1) : 0), 0)
}

function mask(covers: ReadonlySet<Slot>): string {
  return `${slots.reduce((sum, slot, index) => sum + (covers.has(slot) ? 2 ** index : 0), 0)}`
}

const signatures: readonly Proof[] = [
  "server_certificate_verify",
  "client_certificate_verify",
  "late_certificate_verify",
]

function proof({ name, base, label, covers }: Made, _: number, all: readonly Made[]): string[] {
  const words = all.findIndex((other) => other.base === undefined && other.label === label) + 1
  return [
    `/* ${name}: ${[...covers].join(", ") || "nothing"} */`,
    `#define COVERS_${name} ${mask(covers)}`,
    (signatures as readonly string[]).includes(name)
      ? `#define WORDS_${name} ${words}`
      : `#define BASE_${name} ${base}`,
    "",
  ]
}

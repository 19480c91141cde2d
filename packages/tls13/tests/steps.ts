// The steps that connections took, beside the rows of handshake/transitions.ts.

import { type Role, transitions } from "../src/handshake/transitions.ts"

export interface Step {
  readonly role: Role
  readonly from: string
  readonly message?: string | undefined
  readonly to: string
}

/** In one line: `client: WAIT_SH, server_hello > WAIT_EE`. */
export function stepName({ role, from, message, to }: Step): string {
  return `${role}: ${from}${message === undefined ? "" : `, ${message}`} > ${to}`
}

/** Every row of the table. */
export function tableSteps(...roles: readonly Role[]): string[] {
  return roles.flatMap((role) => transitions[role].map((row) => stepName({ role, ...row })))
}

export interface Comparison {
  /** Rows that nobody walked. */
  readonly missing: readonly string[]
  /** Steps that are no row: a defect. */
  readonly foreign: readonly string[]
}

export function compareSteps(walked: ReadonlySet<string>, rows: readonly string[]): Comparison {
  const foreign = [...walked].filter((step) => !rows.includes(step)).sort()
  return { missing: rows.filter((row) => !walked.has(row)), foreign }
}

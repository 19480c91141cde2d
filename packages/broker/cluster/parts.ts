// What can be left out by name: checks, faults, rows.

import { type CheckName, checkNames } from "./checks/checks.ts"
import { type FaultName, faultNames } from "./faults.ts"
import { type RowName, rowNames } from "./rows/rows.ts"

export type PartName = CheckName | FaultName | RowName
export const names: readonly PartName[] = [...checkNames, ...faultNames, ...rowNames]

/** @throws Error for a name that is none */
export function partsIn(option: string, list: string | undefined): ReadonlySet<PartName> {
  const said = (list ?? "").split(",").filter((name) => name !== "")
  for (const name of said)
    if (!names.includes(name as PartName)) throw new Error(`--${option} ${name} is none of ${names.join(", ")}`)
  return new Set(said as PartName[])
}

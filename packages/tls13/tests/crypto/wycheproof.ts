import { readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import { expect } from "vitest"

export interface WycheproofTest {
  readonly tcId: number
  readonly comment?: string
  readonly flags: readonly string[]
  readonly result: "valid" | "invalid" | "acceptable"
}

export interface WycheproofGroup<Test extends WycheproofTest> {
  readonly tests: readonly Test[]
}

/** What became of the cases of a file; `differences` must stay empty. */
export interface Tally {
  run: number
  readonly skipped: Record<string, number>
  readonly differences: string[]
}

/**
 * Runs every case of a file: `check` returns whether the case behaved as accepted, or `{ skip }` with a reason.
 * A valid case must be accepted and an invalid one must not; for `acceptable` ones `check` has the say by itself.
 */
export function runWycheproof<Group extends WycheproofGroup<Test>, Test extends WycheproofTest>(
  file: string,
  check: (group: Group, test: Test) => boolean | { readonly skip: string },
): Tally {
  const tally: Tally = { run: 0, skipped: {}, differences: [] }
  for (const group of wycheproofGroups<Group>(file)) {
    for (const test of group.tests) {
      const accepted = check(group, test)
      if (typeof accepted === "object") {
        tally.skipped[accepted.skip] = (tally.skipped[accepted.skip] ?? 0) + 1
        continue
      }
      tally.run++
      if (test.result !== "acceptable" && accepted !== (test.result === "valid")) {
        tally.differences.push(`${file} ${test.tcId}: ${test.comment ?? ""} [${test.flags}] must be ${test.result}`)
      }
    }
  }
  return tally
}

/** All cases ran, none was skipped, none differed. */
export function expectAll(tally: Tally, run: number): void {
  expect(tally).toEqual({ run, skipped: {}, differences: [] })
}

export function wycheproofGroups<Group>(file: string): readonly Group[] {
  const url = new URL(`../../../../test-vectors/wycheproof/${file}_test.json.gz`, import.meta.url)
  return (JSON.parse(gunzipSync(readFileSync(url)).toString("utf8")) as { testGroups: readonly Group[] }).testGroups
}

export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"))
}

/** A Wycheproof big integer (a sign byte in front, or leading zeros missing) as `length` bytes. */
export function fixedLength(text: string, length: number): Uint8Array {
  return hex(text.padStart(2 * length, "0").slice(-2 * length))
}

/** A Wycheproof big integer without leading zeros. */
export function shortest(text: string): Uint8Array {
  return hex(text.replace(/^(00)+/, ""))
}

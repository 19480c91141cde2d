// Rounds, one after the other: each has a folder and a seed of its own, and can be repeated alone.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { FullDiskRound } from "./full-disk.ts"
import { type Room, roomFor, ways } from "./room.ts"
import { KillingRound, type Round, type RoundOptions } from "./round.ts"

export interface CrashOptions {
  readonly runs: number
  readonly seed: number
  readonly durability: string
  readonly diskFull: boolean
  readonly lateBroker: string | undefined
  /** The folder of a round that failed is left. */
  readonly keep: boolean
}

/** How often a broker is killed in a round. */
const killsOf = { killing: 25, diskFull: 3 } as const

/** Kills a broker as often as wanted; the exit status. */
export async function crash(options: CrashOptions): Promise<number> {
  const { runs, seed, durability, diskFull, lateBroker } = options
  const each = diskFull ? killsOf.diskFull : killsOf.killing
  const how = `${diskFull ? ", the disk full" : ""}${lateBroker === undefined ? "" : ", with a store that answers late"}`
  console.log(`killing a broker ${runs} times${how} (--seed ${seed}, durability ${durability})`)
  const sum = { passed: 0, failed: 0, skipped: 0, killed: 0, acknowledged: 0, wills: 0, refusals: 0 }
  for (let killed = 0, number = 0; killed < runs; killed += each, number++) {
    const kills = Math.min(each, runs - killed)
    const outcome = await oneRound(options, seed + number, kills)
    if (outcome === undefined) sum.skipped++
    else {
      sum[outcome.findings.length === 0 ? "passed" : "failed"]++
      sum.killed += kills
      sum.acknowledged += outcome.world.acknowledged
      sum.wills += outcome.world.wills
      sum.refusals += outcome.world.refusals
    }
  }
  const refused = diskFull ? `${sum.refusals} refused, ` : ""
  console.log(`${sum.killed} times killed, ${sum.acknowledged} messages acknowledged, ${refused}${sum.wills} wills`)
  const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : ""
  console.log(`crash: ${sum.passed} passed, ${sum.failed} failed${skipped}`)
  return sum.failed > 0 ? 1 : 0
}

/** Undefined: it cannot be here. */
async function oneRound(options: CrashOptions, seed: number, kills: number): Promise<Round | undefined> {
  const { durability, diskFull, lateBroker, keep } = options
  const begun = performance.now()
  const folder = mkdtempSync(join(tmpdir(), "puremq-crash-"))
  const roundOptions: RoundOptions = { seed, kills, folder, durability, lateBroker }
  let room: Room | undefined
  let failed = false
  const clear = () => {
    room?.close()
    if (!(failed && keep)) rmSync(folder, { recursive: true, force: true })
  }
  process.once("exit", clear)
  try {
    if (diskFull) {
      const way = ways[seed % ways.length]!
      mkdirSync(join(folder, "disk"), { mode: 0o700 })
      const found = roomFor(way, join(folder, "disk"))
      if (typeof found === "string") {
        console.log(`  seed ${seed}: skipped: ${way}: ${found}`)
        return undefined
      }
      room = found
    }
    const round = room === undefined ? new KillingRound(roundOptions) : new FullDiskRound(roundOptions, room)
    await round.run()
    failed = round.findings.length > 0
    for (const line of round.findings) console.log(`WRONG seed ${seed}, ${line}`)
    if (failed) console.log(`  once more: ${commandOf(options, seed, kills)}${keep ? `; its folder is ${folder}` : ""}`)
    const seconds = ((performance.now() - begun) / 1000).toFixed(1)
    const { acknowledged, refusals, wills } = round.world
    const what = room === undefined ? "" : `${room.way}, ${refusals} refused, `
    console.log(`  seed ${seed}: ${kills} lives, ${what}${acknowledged} acknowledged, ${wills} wills, ${seconds} s`)
    return round
  } finally {
    process.off("exit", clear)
    clear()
  }
}

function commandOf({ durability, diskFull, lateBroker }: CrashOptions, seed: number, kills: number): string {
  const variant = `${diskFull ? " --disk-full" : ""}${lateBroker === undefined ? "" : " --late-store"}`
  const how = durability === "process" ? "" : ` --durability ${durability}`
  return `npm run crash -- --seed ${seed} --runs ${kills}${variant}${how}`
}

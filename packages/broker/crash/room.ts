// Ways to a store with room for little: a small file system, a limit of file sizes, the store's own budget.

import { execFileSync, spawnSync } from "node:child_process"
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync, writeSync } from "node:fs"
import { join } from "node:path"

/** Bytes that go in yet, about. */
const little = 300_000
const mebibyte = 1_048_576
/** Bytes of a file system with room for everything. */
const plenty = 512 * mebibyte
const zeros = new Uint8Array(16_384)
/** Bytes that `ulimit -f` of a POSIX shell counts in. */
const block = 512

export const ways = ["tmpfs", "ulimit -f", "--store-size"] as const
export type Way = (typeof ways)[number]

export interface Room {
  readonly way: Way
  readonly directory: string
  /** Once it is full nothing goes in any more until there is room; else the store may make some by itself. */
  readonly strict: boolean
  /** `plenty` is so at once; else for the next broker. */
  readonly live: boolean
  little(): void
  /** What is left of it goes, where that is possible; else it goes with what is kept. */
  fill(): void
  plenty(): void
  /** Of the next broker. */
  readonly args: readonly string[]
  /** The program that starts it, with its arguments; undefined: none does. */
  readonly under: readonly string[] | undefined
  close(): void
}

/** @returns why it is not possible here */
export function roomFor(way: Way, directory: string): Room | string {
  if (way === "tmpfs") return mounted(directory) ?? new SmallFileSystem(directory)
  if (way === "--store-size") return new Budget(directory)
  return process.platform === "win32" ? "there is no ulimit" : new FileSizeLimit(directory)
}

/** @returns why it is not */
function mounted(directory: string): string | undefined {
  if (process.platform !== "linux") return "only Linux has it"
  const { error, status, stderr } = spawnSync("mount", [
    ...["-t", "tmpfs", "-o", `size=${mebibyte},mode=700`, "puremq-crash", directory],
  ])
  if (error === undefined && status === 0) return undefined
  return error?.message ?? stderr.toString("utf8").trim().split("\n")[0]
}

/** In it is something else beside the store, which takes what there is. */
class SmallFileSystem implements Room {
  readonly way = "tmpfs"
  readonly directory: string
  readonly strict = true
  readonly live = true
  readonly args: readonly string[] = []
  readonly under = undefined
  readonly #mount: string
  readonly #other: string
  #filling: NodeJS.Timeout | undefined

  constructor(folder: string) {
    this.#mount = folder
    this.directory = join(folder, "store")
    this.#other = join(folder, "other")
    mkdirSync(this.directory, { mode: 0o700 })
  }

  little(): void {
    this.#makeRoom(Math.max(mebibyte, sizeOf(this.directory).all + little))
  }

  fill(): void {
    if (this.#filling !== undefined) return
    this.#takeAll()
    this.#filling = setInterval(() => this.#takeAll(), 20)
  }

  plenty(): void {
    this.#makeRoom(plenty)
  }

  #takeAll(): void {
    const file = openSync(this.#other, "a")
    try {
      for (;;) writeSync(file, zeros)
    } catch {
      // Nothing goes in any more.
    } finally {
      closeSync(file)
    }
  }

  #makeRoom(bytes: number): void {
    clearInterval(this.#filling)
    this.#filling = undefined
    rmSync(this.#other, { force: true })
    execFileSync("mount", ["-o", `remount,size=${bytes}`, this.#mount])
  }

  close(): void {
    clearInterval(this.#filling)
    spawnSync("umount", ["--lazy", this.#mount])
  }
}

class FileSizeLimit implements Room {
  readonly way = "ulimit -f"
  readonly directory: string
  readonly strict = true
  readonly live = false
  readonly args: readonly string[] = []
  under: readonly string[] | undefined

  constructor(directory: string) {
    this.directory = directory
  }

  little(): void {
    const blocks = Math.ceil((sizeOf(this.directory).largest + little) / block)
    this.under = ["sh", "-c", `ulimit -f ${blocks} && exec "$0" "$@"`]
  }

  fill(): void {
    // A journal reaches it.
  }

  plenty(): void {
    this.under = undefined
  }

  close(): void {
    // Nothing is left of it.
  }
}

class Budget implements Room {
  readonly way = "--store-size"
  readonly directory: string
  readonly strict = false
  readonly live = false
  args: readonly string[] = []
  readonly under = undefined

  constructor(directory: string) {
    this.directory = directory
  }

  little(): void {
    // Seven sixteenths of it are for what is kept.
    const bytes = Math.ceil(((sizeOf(this.directory).all + little) * 16) / 7)
    this.args = ["--store-size", String(Math.max(mebibyte, bytes))]
  }

  fill(): void {
    // What is kept for the subscriber that is away reaches it.
  }

  plenty(): void {
    this.args = []
  }

  close(): void {
    // Nothing is left of it.
  }
}

function sizeOf(directory: string): { readonly all: number; readonly largest: number } {
  const sizes = readdirSync(directory).map((name) => statSync(join(directory, name)).size)
  return { all: sizes.reduce((sum, size) => sum + size, 0), largest: Math.max(0, ...sizes) }
}

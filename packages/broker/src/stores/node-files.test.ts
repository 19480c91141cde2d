// With real files and processes: kill -9 while turns are written, and one owner a folder.

import { type ChildProcess, spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { createServer, Server } from "node:net"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { anyTurns, folded, Seeded } from "../../tests/stores/random-changes.ts"
import { answerOf, restored } from "../../tests/stores/small-hub.ts"
import type { Change } from "../packet/change.ts"
import { encodeTurn } from "../packet/change-encoding.ts"
import { TurnWriter } from "../packet/turn-fields.ts"
import type { FileStoreOptions } from "./file-store.ts"
import { StoreError } from "./folder.ts"
import { openFileStore } from "./node-files.ts"

let folder = ""
let program = ""
const children = new Set<ChildProcess>()

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "puremq-stores-"))
  program = join(folder, "child.mjs")
  const entry = fileURLToPath(new URL("../../tests/stores/store-child.ts", import.meta.url))
  await build({ entryPoints: [entry], outfile: program, bundle: true, platform: "node", format: "esm" })
}, 60_000)

afterAll(() => {
  for (const child of children) child.kill("SIGKILL")
  rmSync(folder, { recursive: true })
})

class Child {
  readonly #child: ChildProcess
  #out = ""
  #ended = false
  readonly #waiting = new Set<() => void>()

  constructor(...args: readonly string[]) {
    this.#child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] })
    children.add(this.#child)
    this.#child.stdout?.on("data", (text) => {
      this.#out += text
      for (const tell of this.#waiting) tell()
    })
    this.#child.on("close", () => {
      this.#ended = true
      for (const tell of this.#waiting) tell()
    })
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done()) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve)
      })
      this.#waiting.clear()
    }
  }

  opened(): Promise<void> {
    return this.#until(() => this.#ended || this.#out.includes("open\n"))
  }

  /** How many turns it has said to be committed until now. */
  get committed(): number {
    return Number(this.#out.split("\n").at(-2)?.replace("open", "0") ?? 0)
  }

  committedTurns(count: number): Promise<void> {
    return this.#until(() => this.#ended || this.committed >= count)
  }

  /** Looks now and then, until it has ended. */
  async until(done: () => boolean): Promise<void> {
    while (!this.#ended && !done()) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  async kill(): Promise<void> {
    expect(this.#ended).toBe(false)
    this.#child.kill("SIGKILL")
    await this.#until(() => this.#ended)
    children.delete(this.#child)
  }
}

function bytesOf(changes: readonly Change[]): string {
  const writer = new TurnWriter()
  encodeTurn(changes, writer)
  return Buffer.from(writer.bytes.subarray(0, writer.length)).toString("latin1")
}

async function contentOf(directory: string): Promise<Change[]> {
  const store = await openFileStore({ directory })
  const changes = await restored(store)
  await answerOf(store.close())
  return changes
}

describe("kill -9", () => {
  it.each<[string, FileStoreOptions]>([
    ["process", { foldAfter: 4000 }],
    ["power", { foldAfter: 2000, durability: "power" }],
  ])(
    "%s: what was committed is there each time, and at most the turn under way beside it",
    async (durability, options) => {
      const directory = join(folder, `killed-${durability}`)
      const random = new Seeded(31)
      let before: Change[] = []
      let folds = 0
      for (let round = 0; round < 10; round++) {
        const child = new Child(directory, String(round), JSON.stringify(options))
        await child.opened()
        await child.committedTurns(random.below(800))
        // Turns do not wait for a fold: in some rounds it is waited for, to its end or to somewhere in it.
        if (round % 2 === 1) await child.until(() => readdirSync(directory).some((name) => /^snap.*[^w]$/.test(name)))
        else if (round % 4 === 2) await child.until(() => readdirSync(directory).length > 2)
        await new Promise((resolve) => setTimeout(resolve, random.below(100)))
        await child.kill()
        const turns = anyTurns(new Seeded(round), 4000).slice(0, child.committed + 1)
        const changes = await contentOf(directory)
        const [without, all] = [folded([before, ...turns.slice(0, -1)]), folded([before, ...turns])]
        expect([bytesOf(without), bytesOf(all)]).toContain(bytesOf(changes))
        before = changes
        if (readdirSync(directory).some((name) => name.startsWith("snapshot"))) folds++
      }
      expect(folds).toBeGreaterThan(3)
    },
    120_000,
  )
})

describe("one owner a folder", () => {
  const refused = (directory: string) =>
    `another broker has the store ${directory} open; stop it, or use another folder`

  it("a second one is refused in this process and in another, until the first is closed or dead", async () => {
    const directory = join(folder, "owned")
    const store = await openFileStore({ directory })
    await expect(openFileStore({ directory })).rejects.toThrow(new StoreError(refused(directory)))
    await answerOf(store.close())
    const child = new Child(directory, "open")
    await child.opened()
    await expect(openFileStore({ directory })).rejects.toThrow(new StoreError(refused(directory)))
    await child.kill()
    expect(readdirSync(directory)).toContainEqual(expect.stringMatching(/^lock-/))
    const next = await openFileStore({ directory })
    await expect(openFileStore({ directory })).rejects.toThrow(StoreError)
    await answerOf(next.close())
    expect(readdirSync(directory)).toEqual(["journal-0000000001"])
  })

  it("of many that come for a dead one's at once, one gets it", async () => {
    const directory = join(folder, "raced")
    const child = new Child(directory, "open")
    await child.opened()
    await child.kill()
    for (let round = 0; round < 5; round++) {
      const all = await Promise.allSettled(Array.from({ length: 12 }, () => openFileStore({ directory })))
      const stores = all.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []))
      expect(stores).toHaveLength(1)
      for (const store of stores) await answerOf(store.close())
      expect(readdirSync(directory)).toEqual(["journal-0000000001"])
    }
  })

  it("in a folder whose path is longer than a socket's may be", async () => {
    const directory = join(folder, "long".repeat(30), "path".repeat(30))
    const store = await openFileStore({ directory })
    await expect(openFileStore({ directory })).rejects.toThrow(refused(directory))
    await answerOf(store.close())
    const child = new Child(directory, "open")
    await child.opened()
    await expect(openFileStore({ directory })).rejects.toThrow(refused(directory))
    await child.kill()
    await answerOf((await openFileStore({ directory })).close())
  })

  it("an owner that cannot be asked is named by its process", async () => {
    const { lockByFile } = await import("./node-lock.ts")
    const directory = join(folder, "by-file")
    mkdirSync(directory)
    const release = await lockByFile(directory)
    await expect(lockByFile(directory)).rejects.toThrow(refused(directory))
    await release()
    const ended = spawn(process.execPath, ["-e", ""])
    await new Promise((resolve) => ended.on("close", resolve))
    writeFileSync(join(directory, "lock-7.pid"), `${ended.pid} owner ${hostname()}\n`)
    await (await lockByFile(directory))()
    expect(readdirSync(directory)).toEqual([])
    // Both kinds see each other.
    const owner = await openFileStore({ directory })
    await expect(lockByFile(directory)).rejects.toThrow(refused(directory))
    await answerOf(owner.close())
    const other = await lockByFile(directory)
    await expect(openFileStore({ directory })).rejects.toThrow(refused(directory))
    await other()
    const all = await Promise.allSettled(Array.from({ length: 12 }, () => lockByFile(directory)))
    const owners = all.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []))
    expect(owners).toHaveLength(1)
    for (const release of owners) await release()
    writeFileSync(join(directory, "lock-8.pid"), "7 owner elsewhere\n")
    await expect(lockByFile(directory)).rejects.toThrow(
      `${join(directory, "lock-8.pid")} says that process 7 of elsewhere has the store open; delete it if that has ended`,
    )
  })
})

describe("a folder that cannot be used is told in one line", () => {
  it.each<[string, (path: string) => string, RegExp]>([
    [
      "a file",
      (path) => {
        writeFileSync(path, "")
        return path
      },
      /^cannot make the folder \S+: .*\(E\w+\)$/,
    ],
    [
      "in a file",
      (path) => {
        writeFileSync(path, "")
        return join(path, "below")
      },
      /^cannot make the folder \S+below: it is not a folder \(ENOTDIR\)$/,
    ],
    [
      "one with a journal that is none",
      (path) => {
        mkdirSync(path)
        writeFileSync(join(path, "journal-0000000001"), "something else, of some length")
        return path
      },
      /^\S+journal-0000000001 is damaged at offset 0: it does not begin as a file of a store; nothing was changed: [^\n]+$/,
    ],
  ])("%s", async (name, make, message) => {
    const directory = make(join(folder, name.replaceAll(" ", "-")))
    await expect(openFileStore({ directory })).rejects.toThrow(message)
    await expect(openFileStore({ directory })).rejects.toThrow(StoreError)
  })

  it("something that listens and is no broker has it all the same", async () => {
    const directory = join(folder, "odd")
    mkdirSync(directory)
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(join(directory, "lock-0"), resolve))
    await expect(openFileStore({ directory })).rejects.toThrow(/another broker has the store/)
    await new Promise((resolve) => server.close(resolve))
  })
})

it.runIf(process.platform === "linux")(
  "a folder that the system does not let be made is one line, at once",
  async () => {
    const opening = openFileStore({ directory: "/proc/puremq/store" })
    await expect(opening).rejects.toThrow(
      /^cannot make the folder \/proc\/puremq\/store: there is no such file \(ENOENT\)$/,
    )
  },
)

it("a lock that cannot take who asks, for want of descriptors, does not end the process", async () => {
  const listened = vi.spyOn(Server.prototype, "listen")
  const directory = mkdtempSync(join(tmpdir(), "puremq-stores-"))
  const store = await openFileStore({ directory })
  const lock = listened.mock.contexts[0]
  if (!(lock instanceof Server)) throw new Error("the lock is no server")
  listened.mockRestore()
  // What the system says each time.
  const refused = Object.assign(new Error("accept EMFILE"), { code: "EMFILE" })
  expect([lock.emit("error", refused), lock.emit("error", refused)]).toEqual([true, true])
  await answerOf(store.close())
  rmSync(directory, { recursive: true })
})

describe("a folder that somebody moves away", () => {
  it("keeps nothing, as what is written goes with it, until it is back", async () => {
    const directory = join(folder, "moved")
    const store = await openFileStore({ directory })
    await restored(store)
    const commit = () => answerOf(store.commit([{ type: "retained", topic: "t", sequence: 0 }]))
    expect(await commit()).toBe("committed")
    renameSync(directory, `${directory}-away`)
    await expect.poll(commit, { timeout: 20_000 }).toEqual({
      failed: expect.stringMatching(
        /^cannot write .*journal-0000000001: it is not there any more; put the folder back/,
      ),
    })
    // Another in its place is not the same.
    mkdirSync(directory)
    writeFileSync(join(directory, "journal-0000000001"), "")
    expect(await commit()).not.toBe("committed")
    rmSync(directory, { recursive: true })
    renameSync(`${directory}-away`, directory)
    expect(await commit()).toBe("committed")
    await answerOf(store.close())
  })
})

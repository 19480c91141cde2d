import { afterAll, describe, expect, it } from "vitest"
import { storeContract } from "../../tests/stores/contract.ts"
import { FaultyDatabase } from "../../tests/stores/faulty-database.ts"
import { anyTurns, folded, Seeded } from "../../tests/stores/random-changes.ts"
import { answerOf, handOver, restored } from "../../tests/stores/small-hub.ts"
import { toyPace } from "../../tests/stores/toy-folder.ts"
import { WasmDatabase } from "../../tests/stores/wasm-database.ts"
import type { Change } from "../packet/change.ts"
import { type FileStoreOptions, openStoreIn } from "./file-store.ts"
import { StoreError } from "./folder.ts"
import { sqlFolder } from "./sql-folder.ts"

const inDatabase = (options: FileStoreOptions) => () => {
  const database = new WasmDatabase()
  return {
    open: () => openStoreIn(sqlFolder(database), toyPace, options, async () => {}),
    remove: () => database.close(),
  }
}
storeContract("a database", inDatabase({}))
storeContract("a database, durable past the power", inDatabase({ durability: "power" }))
storeContract("a database, folded all the time", inDatabase({ foldAfter: 200, durability: "power" }))

describe("a folder in a database", () => {
  const database = new WasmDatabase()
  afterAll(() => database.close())
  const contentOf = async (name: string): Promise<Uint8Array> => {
    const file = await sqlFolder(database).open(name)
    const { size } = sqlFolder(database)
      .list()
      .find((each) => each.name === name)!
    const out = new Uint8Array(size + 3)
    let read = 0
    for (let more = -1; more !== 0; read += more) more = await file.read(out.subarray(read), read)
    expect(read).toBe(size)
    return out.subarray(0, size)
  }

  it("a file is its bytes, whatever is written over its end, cut off and read", async () => {
    const folder = sqlFolder(database)
    for (let seed = 1; seed <= 40; seed++) {
      const random = new Seeded(seed)
      const file = await folder.create("one")
      let model = new Uint8Array(0)
      for (let step = 0; step < 30; step++) {
        if (random.chance(0.2)) {
          const length = random.below(model.length + 1)
          file.truncate(length)
          model = model.slice(0, length)
        } else {
          const from = random.chance(0.7) ? model.length : random.below(model.length + 1)
          const bytes = Uint8Array.from({ length: 1 + random.below(300) }, () => random.below(256))
          expect(file.write(bytes, from)).toBe(bytes.length)
          const next = new Uint8Array(Math.max(model.length, from + bytes.length))
          next.set(model)
          next.set(bytes, from)
          model = next
        }
        const at = random.below(model.length + 1)
        const part = new Uint8Array(random.below(200))
        const read = await file.read(part, at)
        expect(part.subarray(0, read)).toEqual(model.subarray(at, at + part.length))
      }
      expect(await contentOf("one")).toEqual(model)
    }
  })

  it("a write of more than a row takes is more of them, and one over it keeps what is behind", async () => {
    const file = await sqlFolder(database).create("long")
    const bytes = Uint8Array.from({ length: 2_500_000 }, (_, at) => at * 7 + (at >> 8))
    expect(file.write(bytes, 0)).toBe(1_000_000)
    await file.writeBeside(bytes.subarray(1_000_000), 1_000_000)
    file.write(Uint8Array.of(1, 2, 3), 5)
    bytes.set([1, 2, 3], 5)
    expect(Buffer.compare(await contentOf("long"), bytes)).toBe(0)
  })

  it("files are renamed over others, removed, and missing ones are said", async () => {
    const folder = sqlFolder(database)
    ;(await folder.create("a")).write(Uint8Array.of(1), 0)
    ;(await folder.create("b")).write(Uint8Array.of(2, 2), 0)
    await folder.rename("b", "a")
    expect(await contentOf("a")).toEqual(Uint8Array.of(2, 2))
    await expect(folder.open("b")).rejects.toMatchObject({ code: "ENOENT" })
    await expect(folder.rename("b", "a")).rejects.toMatchObject({ code: "ENOENT" })
    await folder.rename("a", "a")
    expect(await contentOf("a")).toEqual(Uint8Array.of(2, 2))
    await folder.remove("a")
    await expect(folder.remove("a")).rejects.toMatchObject({ code: "ENOENT" })
    expect(folder.list().map(({ name }) => name)).toEqual(["one", "long"])
    expect(
      database.run("SELECT count(*) AS n FROM puremq_pieces WHERE file NOT IN (SELECT id FROM puremq_files)"),
    ).toEqual([{ n: 0 }])
  })

  it("a write behind the end, which no store makes, is refused", async () => {
    const file = await sqlFolder(database).create("gap")
    expect(() => file.write(Uint8Array.of(1), 1)).toThrow("a write at 1 of a file of 0 bytes")
  })
})

describe("a store in a database, whatever statement fails", () => {
  const turns = anyTurns(new Seeded(21), 16)
  const all = folded(turns)
  const options: FileStoreOptions = { foldAfter: 300, durability: "power" }
  const openIn = (database: FaultyDatabase, own: FileStoreOptions = options) =>
    openStoreIn(sqlFolder(database), toyPace, own, async () => {})

  /** What opening it says; undefined: nothing. */
  async function openTold(database: FaultyDatabase): Promise<unknown> {
    try {
      const store = await openIn(database)
      database.trouble = undefined
      await answerOf(store.close())
      return undefined
    } catch (error) {
      return error
    }
  }

  /** What is kept, as the next one finds it. */
  async function keptIn({ below }: FaultyDatabase): Promise<Change[]> {
    const store = await openIn(new FaultyDatabase(below))
    const changes = await restored(store)
    await answerOf(store.close())
    return changes
  }

  it.each(["once", "full"] as const)(
    "%s: turns are handed over again, and nothing is lost or there twice",
    async (kind) => {
      let failed = 0
      for (let at = 1; ; at++) {
        const database = new FaultyDatabase()
        const store = await openIn(database)
        await restored(store)
        database.steps = 0
        database.trouble = { at, kind }
        const first = await handOver(store, turns, 4, kind === "once" ? 50 : 3)
        database.trouble = undefined
        const rest = await handOver(store, turns.slice(first.committed), 4)
        expect(first.committed + rest.committed).toBe(turns.length)
        for (const line of first.failures) expect(line).toMatch(/^cannot write DATABASE\/journal-\d+: [^\n]+$/)
        failed += first.failures.length
        await answerOf(store.close())
        const ended = database.steps < at
        expect(await keptIn(database)).toEqual(all)
        database.below.close()
        if (ended) break
      }
      expect(failed).toBeGreaterThan(20)
    },
  )

  it("death: what was committed is there when the object is put away at it", async () => {
    for (let at = 1; ; at++) {
      const database = new FaultyDatabase()
      const store = await openIn(database)
      await restored(store)
      database.steps = 0
      database.trouble = { at, kind: "death" }
      const { committed } = await handOver(store, turns, 4, 1)
      const changes = await keptIn(database)
      const prefixes = [...turns.keys()].slice(committed).map((count) => folded(turns.slice(0, count)))
      expect([...prefixes, all]).toContainEqual(changes)
      expect(await keptIn(database)).toEqual(changes)
      if (committed === turns.length && database.steps < at) break
    }
  })

  it("when it is opened, that is told in a line, and the next time it opens", async () => {
    for (let at = 1; ; at++) {
      const before = new FaultyDatabase()
      const store = await openIn(before)
      await restored(store)
      await handOver(store, turns)
      await answerOf(store.close())
      const database = new FaultyDatabase(before.below)
      database.trouble = { at, kind: "once" }
      const told = await openTold(database)
      if (told === undefined) {
        expect(at).toBeGreaterThan(10)
        break
      }
      expect(told).toBeInstanceOf(StoreError)
      expect(await keptIn(database)).toEqual(all)
      before.below.close()
    }
  })

  it("a row that is missing, empty or no bytes is told with its place, and nothing is cut off", async () => {
    const database = new FaultyDatabase()
    const store = await openIn(database, {})
    await restored(store)
    await handOver(store, turns.slice(0, 8))
    await store.compact()
    await handOver(store, turns.slice(8))
    await answerOf(store.close())
    const pieces = database.below.run("SELECT file, start FROM puremq_pieces ORDER BY file, start")
    const lasts = database.below.run("SELECT file, max(start) AS start FROM puremq_pieces GROUP BY file")
    expect(pieces.length).toBeGreaterThan(5)
    for (const { file, start } of pieces) {
      const isLast = lasts.some((last) => last["file"] === file && last["start"] === start)
      const where = `WHERE file = ${file} AND start = ${start}`
      for (const damage of [
        ...(isLast ? [] : [`DELETE FROM puremq_pieces ${where}`]), // what is missing at the end looks like a crash's
        `UPDATE puremq_pieces SET bytes = x'' ${where}`,
        `UPDATE puremq_pieces SET bytes = 'text' ${where}`,
        `UPDATE puremq_pieces SET bytes = 1000000000000 ${where}`,
      ]) {
        if (isLast && damage.includes("x''")) continue
        database.below.run("SAVEPOINT damage")
        database.below.run(damage)
        const before = database.below.run("SELECT file, start, length(bytes) AS size FROM puremq_pieces")
        const told = await openTold(new FaultyDatabase(database.below))
        expect(told, damage).toBeInstanceOf(StoreError)
        expect(String(told), damage).toMatch(/^StoreError: (cannot read )?DATABASE\/\S+(:| is damaged) [^\n]+$/)
        expect(database.below.run("SELECT file, start, length(bytes) AS size FROM puremq_pieces")).toEqual(before)
        database.below.run("ROLLBACK TO damage")
        database.below.run("RELEASE damage")
      }
    }
  })
})

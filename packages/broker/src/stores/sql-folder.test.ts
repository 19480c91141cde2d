import { afterAll, describe, expect, it } from "vitest"
import { storeContract } from "../../tests/stores/contract.ts"
import { Seeded } from "../../tests/stores/random-changes.ts"
import { toyPace } from "../../tests/stores/toy-folder.ts"
import { WasmDatabase } from "../../tests/stores/wasm-database.ts"
import { type FileStoreOptions, openStoreIn } from "./file-store.ts"
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

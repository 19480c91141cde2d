// Folders as brokers before this one have made them (kept as bytes), and as later ones may.

import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { folded } from "../../tests/stores/random-changes.ts"
import { answerOf, restored } from "../../tests/stores/small-hub.ts"
import { Inode, ToyFolder, toyPace } from "../../tests/stores/toy-folder.ts"
import { changeOf } from "../cli/change-lines.ts"
import type { Change } from "../packet/change.ts"
import { Checksum } from "./checksum.ts"
import { type FileStore, openStoreIn } from "./file-store.ts"
import { RecordFormat } from "./records.ts"
import { readStoreIn } from "./whole.ts"

interface Made {
  /** In base64. */
  readonly files: Readonly<Record<string, string>>
  /** What is in it, a line each. */
  readonly changes: readonly string[]
}

const made: Readonly<Record<string, Made>> = JSON.parse(
  readFileSync(new URL("../../tests/stores/version-1.json", import.meta.url), "utf8"),
)

function folderOf({ files }: Made): ToyFolder {
  const inodes = Object.entries(files).map(
    ([name, text]) => [name, new Inode().copy(Buffer.from(text, "base64"))] as const,
  )
  return new ToyFolder(new Map(inodes))
}

const openIn = (folder: ToyFolder, onNote?: (line: string) => void): Promise<FileStore> =>
  openStoreIn(folder, toyPace, { onNote }, async () => {})

async function contentOf(folder: ToyFolder): Promise<Change[]> {
  const store = await openIn(folder)
  const changes = await restored(store)
  await answerOf(store.close())
  return changes
}

/** By name. */
const versions = (folder: ToyFolder) =>
  Object.fromEntries([...folder.entries].map(([name, { content }]) => [name, content[10]]))

const turn = (packetId: number): Change[] => [{ type: "received", clientId: "a", packetId }]

describe("a folder of version 1", () => {
  it.each(Object.entries(made))("with %s is read as before, and goes on", async (_name, made) => {
    const folder = folderOf(made)
    const before = made.changes.map((line) => changeOf(line) as Change)
    expect(before.length).toBeGreaterThan(30)
    const names = [...folder.entries.keys()]
    const { lost, damage, files } = await readStoreIn(folder, toyPace, false)
    expect({ lost, damage, files }).toEqual({ lost: undefined, damage: undefined, files: names.length })
    expect(folder.steps).toBe(0)

    // What is written from now on is of this version; files of before stay as they are.
    const store = await openIn(folder)
    expect(await restored(store)).toEqual(before)
    expect(await answerOf(store.commit(turn(1001)))).toBe("committed")
    await answerOf(store.close())
    expect(Object.values(versions(folder))).toEqual([...names.map(() => 1), 2])
    const all = folded([before, turn(1001)])
    expect(await contentOf(folder)).toEqual(all)

    // It says how much of the one before there was.
    const last = names.filter((name) => name.startsWith("journal")).at(-1) ?? ""
    const short = folder.afterDeath()
    short.entries.get(last)?.resize((short.entries.get(last)?.content.length ?? 0) - 1)
    const alone = new ToyFolder(new Map(names.map((name) => [name, short.entries.get(name) ?? new Inode()])))
    const notes: string[] = []
    const cut = await openIn(short, (line) => line.includes("references") || notes.push(line))
    expect(await restored(cut)).toEqual(await contentOf(alone.afterDeath()))
    expect(notes).toEqual([expect.stringMatching(`^power was lost [^\n]+ FOLDER/${last} lacks \\d+ bytes`)])
    await answerOf(cut.close())

    const compacted = await openIn(folder)
    await compacted.compact()
    await answerOf(compacted.close())
    expect(Object.values(versions(folder))).toEqual([2, 2])
    expect(await contentOf(folder)).toEqual(all)
  })

  it("has all of a journal when a later one has turns: an end that is missing is damage", async () => {
    const folder = folderOf(made["two journals"] ?? { files: {}, changes: [] })
    const first = folder.entries.get("journal-0000000001")
    first?.resize(first.content.length - 1)
    await expect(openIn(folder)).rejects.toThrow(
      /^FOLDER\/journal-0000000001 is damaged at offset \d+: a record is cut off/,
    )
    expect(folder.steps).toBe(0)
  })
})

describe("a folder of version 3", () => {
  it.each(["journal-0000000001", "snapshot-0000000001"])("is refused, whatever else is in %s", async (name) => {
    for (const length of [24, 31, 36, 40, 400]) {
      for (const rest of [0, 0x77]) {
        const content = new Uint8Array(length).fill(rest)
        content.set(new RecordFormat().head(name.startsWith("j") ? "journal" : "snapshot", 1, 0, 3).subarray(0, 24))
        const folder = new ToyFolder(new Map([[name, new Inode().copy(content)]]))
        await expect(openIn(folder)).rejects.toThrow(
          `cannot use FOLDER/${name}: it is of version 3, and this broker reads up to 2; use a newer version of the broker, or another folder`,
        )
        expect(folder.steps).toBe(0)
      }
    }
  })

  it("is refused before an end that is missing is looked at", async () => {
    const folder = folderOf(made["one journal"] ?? { files: {}, changes: [] })
    const first = folder.entries.get("journal-0000000001")
    first?.resize(first.content.length - 1)
    const later = new RecordFormat().head("journal", 2, 0, 3)
    folder.entries.set("journal-0000000002", new Inode().copy(later))
    await expect(openIn(folder)).rejects.toThrow(/^cannot use FOLDER\/journal-0000000002: it is of version 3/)
    expect(folder.steps).toBe(0)
  })
})

it("a file of this version begins as those of version 1 do, so a broker of then tells it from damage", () => {
  const format = new RecordFormat()
  const head = format.head("journal", 7, 1234)
  const expected = format.head("journal", 7, 0, 1)
  // Its version, and the checksum of what begins it, with that.
  expect(head[10]).toBe(2)
  expect([head.subarray(0, 10), head.subarray(12, 20)]).toEqual([expected.subarray(0, 10), expected.subarray(12, 20)])
  expect(new DataView(head.buffer).getUint32(20, true)).toBe(new Checksum().of(head, 0, 20))
})

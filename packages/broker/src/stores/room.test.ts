import { describe, expect, it } from "vitest"
import { ToyFolder, toyPace } from "../../tests/stores/toy-folder.ts"
import { StoreRoom } from "./room.ts"

const mebibyte = 1024 * 1024

it("a message may have a sixteenth of the limit, and what is on its way to the folder counts", () => {
  const room = new StoreRoom(new ToyFolder(), toyPace, { maximumBytes: 1600 }, { there: 0, growing: 0, ended: 0 })
  expect([room.largest, room.full(600, 100)]).toEqual([100, undefined])
  expect(room.full(600, 101)).toMatch(/^FOLDER has 701 bytes, and keeps 700 of the 1600 /)
  expect(new StoreRoom(new ToyFolder(), toyPace, {}, { there: 0, growing: 0, ended: 0 }).largest).toBeUndefined()
})

describe("what is left of a disk for what ends messages", () => {
  it.each([
    ["of a large one 4 MiB", 100 * mebibyte, 96 * mebibyte],
    ["of a small one nine sixteenths", 1600, 700],
  ])("%s: to the byte", async (_what, disk, most) => {
    const folder = new ToyFolder()
    folder.capacity = disk
    const room = new StoreRoom(folder, toyPace, {}, { there: 0, growing: 0, ended: 0 })
    await room.look(0)
    expect(room.full(most)).toBeUndefined()
    expect(room.full(most + 1)).toMatch(/^FOLDER is on a disk that is almost full/)
  })
})

it("half of what is left of a disk is not for what only follows of something else, either", async () => {
  const folder = new ToyFolder()
  folder.capacity = 100 * mebibyte
  const room = new StoreRoom(folder, toyPace, {}, { there: 0, growing: 0, ended: 0 })
  await room.look(0)
  expect(room.mayGrow(98 * mebibyte, mebibyte)).toBe(true)
  expect(room.mayGrow(98 * mebibyte + 1, mebibyte)).toBe(false)
})

it("what the disk never had does not count, and a fold leaves room for what may follow of sessions and messages alone", () => {
  const room = new StoreRoom(new ToyFolder(), toyPace, { maximumBytes: 16_000 }, { there: 0, growing: 0, ended: 0 })
  room.add(6_000)
  expect(room.mayGrow(2_000, 0)).toBe(true)
  room.add(3_000)
  expect(room.mayGrow(6_800, 0)).toBe(false)
  room.takeBack(3_000)
  expect(room.mayGrow(6_800, 0)).toBe(true)
  const fold = room.folding()
  fold.made({ there: 100, growing: 10 }, 6_000, 6_000)
  expect(room.mayGrow(6_800, 0)).toBe(true)
})

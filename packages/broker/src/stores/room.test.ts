import { describe, expect, it } from "vitest"
import { ToyFolder, toyPace } from "../../tests/stores/toy-folder.ts"
import { StoreRoom } from "./room.ts"

const mebibyte = 1024 * 1024

it("a message may have a sixteenth of the limit, and what is on its way to the folder counts", () => {
  const room = new StoreRoom(new ToyFolder(), toyPace, { maximumBytes: 1600 }, { there: 0, ended: 0 })
  expect([room.largest, room.full(600, 100)]).toEqual([100, undefined])
  expect(room.full(600, 101)).toMatch(/^FOLDER has 701 bytes, and keeps 700 of the 1600 /)
  expect(new StoreRoom(new ToyFolder(), toyPace, {}, { there: 0, ended: 0 }).largest).toBeUndefined()
})

describe("what is left of a disk for what ends messages", () => {
  it.each([
    ["of a large one 4 MiB", 100 * mebibyte, 96 * mebibyte],
    ["of a small one nine sixteenths", 1600, 700],
  ])("%s: to the byte", async (_what, disk, most) => {
    const folder = new ToyFolder()
    folder.capacity = disk
    const room = new StoreRoom(folder, toyPace, {}, { there: 0, ended: 0 })
    await room.look(0)
    expect(room.full(most)).toBeUndefined()
    expect(room.full(most + 1)).toMatch(/^FOLDER is on a disk that is almost full/)
  })
})

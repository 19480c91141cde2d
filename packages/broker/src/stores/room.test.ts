import { describe, expect, it } from "vitest"
import { ToyFolder, toyPace } from "../../tests/stores/toy-folder.ts"
import { StoreRoom } from "./room.ts"

const mebibyte = 1024 * 1024

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
